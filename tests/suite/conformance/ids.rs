//! Ids, as repositories with a defect keep them.

use super::Defect;
use super::table::BrokenError;

/// An id, as it is kept.
pub(super) fn kept_id(defect: Option<Defect>, id: &str) -> Result<String, BrokenError> {
    let Some(defect) = defect else {
        return Ok(id.to_owned());
    };
    if defect == Defect::RefusesLongIds && id.len() > 64 {
        return Err(BrokenError("file name too long"));
    }
    if defect == Defect::SplicesIds && id.contains('\'') {
        return Err(BrokenError("syntax error near `'`"));
    }
    Ok(if defect == Defect::IgnoresCase {
        id.to_lowercase()
    } else if defect == Defect::CutsLongIds {
        let end = (0..=id.len().min(64)).rfind(|end| id.is_char_boundary(*end));
        id.get(..end.unwrap_or_default())
            .unwrap_or_default()
            .to_owned()
    } else if defect == Defect::NormalizesIds {
        id.replace("e\u{301}", "\u{e9}")
    } else if defect == Defect::LosesUnicode {
        id.replace(|character: char| !character.is_ascii(), "?")
    } else if defect == Defect::SanitizesIds {
        id.replace(
            |character: char| !character.is_alphanumeric() && character != '-',
            "_",
        )
    } else if defect == Defect::TakesIdsForNumbers {
        let number = id.parse::<f64>();
        number.map_or_else(|_| id.to_owned(), |number| number.to_string())
    } else if defect == Defect::TrimsPunctuation {
        id.trim_end_matches(|character: char| character.is_ascii_punctuation())
            .to_owned()
    } else {
        id.to_owned()
    })
}
