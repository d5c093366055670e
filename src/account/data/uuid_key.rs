//! UUIDs as 16 bytes.

/// A UUID in its canonical text: 36 bytes, `8-4-4-4-12` digits, in lower case. Of no other text is there one, so two
/// are equal if and only if their texts are.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(crate) struct UuidKey {
    /// The values of 16 digits, in the order in which they are quickest to find.
    pub(super) first: u64,
    /// Of the other 16.
    rest: u64,
}

impl UuidKey {
    pub(crate) const LENGTH: usize = 36;

    /// The key of this text; `None` if it is anything but a UUID as it is usually written.
    #[inline]
    pub(crate) fn of(text: &str) -> Option<Self> {
        let text: &[u8; Self::LENGTH] = text.as_bytes().try_into().ok()?;
        let word = |from| Some(u64::from_le_bytes(*text.get(from..)?.first_chunk()?));
        let half = |from| Some(u32::from_le_bytes(*text.get(from..)?.first_chunk()?));
        let halves = |low, high| Some(u64::from(half(low)?) | u64::from(half(high)?) << 32);
        let [one, other] = [Digits::of(word(0)?), Digits::of(halves(9, 14)?)];
        let [third, last] = [Digits::of(halves(19, 24)?), Digits::of(word(28)?)];

        // The dashes are at 8, 13, 18 and 23.
        let no_dashes = (word(8)? ^ word_of(*b"-\0\0\0\0-\0\0"))
            & word_of(*b"\xFF\0\0\0\0\xFF\0\0")
            | (word(16)? ^ word_of(*b"\0\0-\0\0\0\0-")) & word_of(*b"\0\0\xFF\0\0\0\0\xFF");
        let wrong = one.wrong | other.wrong | third.wrong | last.wrong | no_dashes;
        (wrong == 0).then_some(Self {
            first: one.values | other.values << 4,
            rest: third.values | last.values << 4,
        })
    }
}

const fn word_of(bytes: [u8; 8]) -> u64 {
    u64::from_le_bytes(bytes)
}

/// Eight digits at once, a byte for each: whoever looks at one after another takes several times as long.
struct Digits {
    /// From 0 to 15 each, if none is wrong.
    values: u64,
    /// No bit, if all are digits or letters from `a` to `f`.
    wrong: u64,
}

impl Digits {
    #[inline]
    fn of(text: u64) -> Self {
        // INVARIANT: no byte carries into the next: a value is 15 + 9 at most, and spelled, 24 + 0x30 + 0x27.
        let each = |byte| word_of([byte; 8]);
        let letters = text >> 6 & each(1);
        let values = (text & each(0x0F)) + letters * 9;
        // What the values are spelled as is the text, or it was something else. From 16 on there is no digit.
        let from_ten = (values + each(6)) >> 4 & each(1);
        let spelled = values + each(b'0') + from_ten * u64::from(b'a' - b'0' - 10);
        let wrong = spelled ^ text | values & each(0xF0);
        Self { values, wrong }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const UUID: &str = "01234567-89ab-cdef-0f1e-2d3c4b5a6978";

    /// Each byte of a UUID is replaced by every other: it is one still where a digit became a digit, and then another.
    #[test]
    fn nothing_but_a_uuid_in_lower_case_is_one() {
        let key = UuidKey::of(UUID);
        assert!(key.is_some());
        for (at, byte) in UUID.bytes().enumerate() {
            for other in 0..128 {
                let mut text = UUID.as_bytes().to_vec();
                text[at] = other;
                let of_text = UuidKey::of(std::str::from_utf8(&text).unwrap());
                let is_one = match byte {
                    b'-' => other == b'-',
                    _ => matches!(other, b'0'..=b'9' | b'a'..=b'f'),
                };
                assert_eq!(of_text.is_some(), is_one, "{other} at {at}");
                assert_eq!(of_text == key, byte == other, "{other} at {at}");
            }
        }
        let short = UUID.get(1..).unwrap();
        let of_two_bytes = short.replacen("12", "é", 1);
        for text in ["", short, &format!("{UUID}0"), &format!("{of_two_bytes}0")] {
            assert_eq!(UuidKey::of(text), None, "{text}");
        }
    }

    /// Any two digits that change places make another UUID: none of them is left out of the key.
    #[test]
    fn a_key_has_every_digit() {
        let zeros = "00000000-0000-0000-0000-000000000000";
        let digits = zeros.bytes().enumerate().filter(|(_, byte)| *byte == b'0');
        let keys: std::collections::BTreeSet<_> = digits
            .flat_map(|(at, _)| ["1", "2", "4", "8"].map(|digit| (at, digit)))
            .map(|(at, digit)| {
                let mut text = zeros.to_owned();
                text.replace_range(at..=at, digit);
                let key = UuidKey::of(&text).unwrap();
                (key.first, key.rest)
            })
            .collect();
        assert_eq!(keys.len(), 128);
        let all_bits = keys
            .iter()
            .fold((0, 0), |all, key| (all.0 | key.0, all.1 | key.1));
        assert_eq!(all_bits, (u64::MAX, u64::MAX));
    }
}
