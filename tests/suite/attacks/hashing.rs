//! Ids that collide in a hash.

use std::collections::{BTreeSet, HashMap};

use grantbook::*;

use crate::support::*;

/// Java's `String.hashCode`, for ids in ASCII.
fn java(id: &str) -> u32 {
    id.bytes().fold(0, |hash: u32, byte| {
        hash.wrapping_mul(31).wrapping_add(byte.into())
    })
}

/// FNV-1a of 64 bits, of which a table takes the low ones.
fn fnv_from(state: u64, text: &str) -> u64 {
    text.bytes().fold(state, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

const FNV_START: u64 = 0xcbf2_9ce4_8422_2325;

/// Every way to take one of each of these, joined.
fn joined<const N: usize>(choices: &[[String; N]]) -> Vec<String> {
    choices.iter().fold(vec![String::new()], |begun, choice| {
        let longer = begun
            .iter()
            .flat_map(|one| choice.iter().map(move |next| format!("{one}{next}")));
        longer.collect()
    })
}

/// Ids whose low 32 bits of FNV-1a are all the same: a row of pairs of blocks, each pair leading from one state to one
/// other.
fn fnv_collisions(blocks: usize) -> Vec<String> {
    let mut pairs: Vec<[String; 2]> = Vec::new();
    let mut state = FNV_START;
    for _ in 0..blocks {
        let mut seen = HashMap::new();
        let pair = (0..u32::MAX).find_map(|number| {
            let block = format!("{number:05x}");
            let low = fnv_from(state, &block) & 0xffff_ffff;
            let other = seen.insert(low, number)?;
            Some([format!("{other:05x}"), block])
        });
        let pair = pair.unwrap();
        state = fnv_from(state, &pair[0]);
        pairs.push(pair);
    }
    joined(&pairs)
}

/// Thousands of members are added whose ids collide in a hash without a key, so that a table of them becomes a list, or
/// takes two for one. U6 and U7 hold: the hash has a key that nobody knows, no list is in the order of hashing, and
/// every id is its own. Known from oCERT-2011-003 (CVE-2011-4815 and others, CWE-407).
#[test]
fn u6_ids_that_collide_in_a_hash_change_no_answer() {
    let aa = ["Aa".to_owned(), "BB".to_owned()];
    let java_ids = joined(&vec![aa; 11]);
    // Short enough to be stored inline in a table.
    let short = ["A~", "B_", "C@"].map(str::to_owned);
    let short_ids = joined(&vec![short; 7]);
    assert!(short_ids.iter().all(|id| id.len() == 14));
    for ids in [&java_ids, &short_ids] {
        assert!(ids.iter().all(|id| java(id) == java(&ids[0])));
    }
    let fnv_ids = fnv_collisions(11);
    let low = |id: &String| fnv_from(FNV_START, id) & 0xffff_ffff;
    assert!(fnv_ids.iter().all(|id| low(id) == low(&fnv_ids[0])));
    for (ids, count) in [(java_ids, 1 << 11), (short_ids, 2_187), (fnv_ids, 1 << 11)] {
        let sorted: BTreeSet<&str> = ids.iter().map(String::as_str).collect();
        assert_eq!(sorted.len(), count, "they collide, and all differ");
        let mut world = World::new();
        world.system(enrol(sorted.iter().copied()));
        let stores: Vec<_> = sorted.iter().take(64).copied().collect();
        let create: Vec<_> = stores.iter().map(|id| create_store(id)).collect();
        world.all_ok(OWNER, &create);
        let half = |parity: usize| sorted.iter().copied().skip(parity).step_by(2);
        let scope = |parity: usize| stores.iter().copied().skip(parity).step_by(2).map(store);
        for parity in 0..2 {
            let (group, name) = (sorted.iter().nth(parity).unwrap(), format!("Half {parity}"));
            let grant = Grant::store_viewer(scope(parity));
            world.ok(OWNER, create_group(group, &name, [grant]));
            world.ok(OWNER, add(group, half(parity)));
        }
        let gone: BTreeSet<_> = sorted.iter().copied().step_by(3).collect();
        let remove: Vec<_> = gone.iter().map(|id| remove_member(id)).collect();
        world.all_ok(OWNER, &remove);
        let is_gone = |id: &str| gone.contains(id);
        for account in world.read_back().iter().chain([&world.account]) {
            let listed: Vec<_> = account
                .members()
                .map(|member| member.id().as_str())
                .filter(|id| *id != OWNER)
                .collect();
            let expected: Vec<_> = sorted.iter().copied().filter(|id| !is_gone(id)).collect();
            assert_eq!(listed, expected);
            for (index, id) in sorted.iter().enumerate() {
                assert_eq!(account.member(id).is_some(), !is_gone(id));
                for (number, store) in stores.iter().take(4).enumerate() {
                    let may = index % 2 == number % 2 && !is_gone(id);
                    assert_eq!(super::reads(account, id, store), may, "{id} {store}");
                }
            }
        }
    }
}
