//! U8: a request says what it was decided on.

use grantbook::repository::*;
use grantbook::*;

use crate::support::*;

/// The staffed account, in a repository, and copies in two processes.
pub(super) fn two_processes() -> (MemoryRepository, Replica, Replica) {
    let kept = MemoryRepository::new();
    let world = World::staffed();
    store_history(&kept, &world.records);
    let copy = load(&kept, world.account.id()).unwrap().unwrap();
    (kept, copy.clone(), copy)
}

fn definition(copy: &Replica, id: &str) -> Precondition {
    let group = copy.group(id).unwrap();
    Precondition::GroupDefinition {
        group: group.id().clone(),
        revision: group.definition_revision(),
    }
}

fn membership(copy: &Replica, id: &str) -> Precondition {
    let group = copy.group(id).unwrap();
    Precondition::GroupMembership {
        group: group.id().clone(),
        revision: group.membership_revision(),
    }
}

/// U8: a form shows `devs` as editor of `dev` and viewer of `prod`. Somebody else revokes `prod` through another process.
/// The form is then saved with `stage` added: it is refused, and `prod` stays revoked.
#[test]
fn u8_an_old_form_restores_nothing() {
    let (kept, mut here, mut there) = two_processes();
    let now = here.changed_at();
    let shown = [editor(["dev"]), viewer(["prod"])];
    let prepare = [create_store("stage"), regrant("devs", shown)];
    execute(&kept, &mut here, &request(&by(OWNER), &prepare, now)).unwrap();
    catch_up(&kept, &mut there).unwrap();

    let on_the_page = definition(&here, "devs");
    let revoke = revoke_in("devs", "store-viewer", ["prod"]);
    execute(&kept, &mut there, &request(&by(OWNER), &[revoke], now)).unwrap();
    let saved = regrant("devs", [editor(["dev"]), viewer(["prod", "stage"])]);
    let form = request(&by(OWNER), &[saved], now);
    let checked = form.clone().if_unchanged(on_the_page);
    let error = execute(&kept, &mut here, &checked).unwrap_err();
    assert_eq!(
        (error.code(), error.http_status()),
        ("precondition-failed", 412)
    );
    let version = there.version();
    let on = version - 1;
    assert_eq!(
        error.to_string(),
        format!(
            "group `devs` is at revision {version}, and the request was decided on {on}; look at it again before you save"
        )
    );
    assert_eq!(here, there, "nothing was done");
    assert_eq!(kept.request(here.id(), &checked.key).unwrap(), None);
    // Without the precondition, it would have been.
    assert!(execute(&kept, &mut here, &form).unwrap().is_change());
}

/// U8: each kind of precondition holds as long as the thing is as it was, and no longer; several hold together or not at
/// all; they are looked at on the state before the first command.
#[test]
fn u8_each_precondition_is_about_its_own_thing() {
    let (kept, start, _) = two_processes();
    let backup = kept.backup();
    let role_of = |copy: &Replica| Precondition::Role {
        role: role("auditor"),
        revision: copy.role("auditor").unwrap().revision(),
    };
    let define = define_role("auditor", "Auditor", RoleLevel::Store, &["log.read"]);
    let account = |copy: &Replica| Precondition::Account {
        digest: *copy.digest(),
    };
    let dana = start.group("devs").unwrap();
    assert!(dana.members().any(|member| member.as_str() == "dana"));
    // What happens, and whether then the account, the role, the definition and the membership of `devs` are as they were.
    let cases: Vec<(Vec<Command>, [bool; 4])> = vec![
        (vec![], [true, true, true, true]),
        (vec![create_store("x")], [false, true, true, true]),
        (vec![suspend("dana")], [false, true, true, true]),
        (
            vec![rename_group("devs", "Builders")],
            [false, true, false, true],
        ),
        (vec![add("devs", ["nils"])], [false, true, true, false]),
        (vec![take_out("devs", ["dana"])], [false, true, true, false]),
        (vec![remove_member("dana")], [false, true, true, false]),
        (vec![delete_store("dev")], [false, true, false, true]),
        (
            vec![redefine_role("auditor", &["log.list"])],
            [false, false, true, true],
        ),
        (vec![delete_role("auditor")], [false, false, true, true]),
        (
            vec![delete_role("auditor"), define.clone()],
            [false, false, true, true],
        ),
        (
            vec![set_members("devs", []), delete_group("devs")],
            [false, true, false, false],
        ),
    ];
    for (commands, holds) in cases {
        kept.restore(&backup);
        let mut copy = start.clone();
        let now = copy.changed_at();
        let defined = request(&by(OWNER), std::slice::from_ref(&define), now);
        execute(&kept, &mut copy, &defined).unwrap();
        let decided_on = [
            account(&copy),
            role_of(&copy),
            definition(&copy, "devs"),
            membership(&copy, "devs"),
        ];
        execute(&kept, &mut copy, &request(&by(OWNER), &commands, now)).unwrap();
        // A command of the request itself changes nothing about that.
        let asked = |preconditions: &[Precondition]| {
            let own = [create_store("own"), delete_store("own")];
            let request = request(&by(OWNER), &own, now);
            preconditions
                .iter()
                .cloned()
                .fold(request, Request::if_unchanged)
        };
        for (precondition, holds) in decided_on.iter().zip(holds) {
            let answer = Commit::decide(&copy, &asked(std::slice::from_ref(precondition)));
            let code = answer.map_err(|error| error.code()).map(|_| ());
            let expected = if holds {
                Ok(())
            } else {
                Err("precondition-failed")
            };
            assert_eq!(code, expected, "{precondition:?} after {commands:?}");
        }
        let together = Commit::decide(&copy, &asked(&decided_on));
        assert_eq!(together.is_ok(), holds == [true; 4], "{commands:?}");
        let gone = Commit::decide(&copy, &asked(&decided_on[3..]));
        if copy.group("devs").is_none() {
            let said = "the membership of group `devs` is gone; look at it again before you save";
            assert_eq!(gone.unwrap_err().to_string(), said);
        }
    }
}

/// U8: a request without commands, whose preconditions alone are asked for, is answered from what the repository keeps.
#[test]
fn u8_preconditions_alone_are_looked_at_where_they_are_kept() {
    let (kept, mut here, mut there) = two_processes();
    let now = here.changed_at();
    let digest = *here.digest();
    let asked = request(&by(OWNER), &[], now).if_unchanged(Precondition::Account { digest });
    assert!(!execute(&kept, &mut here, &asked).unwrap().is_change());
    execute(
        &kept,
        &mut there,
        &request(&by(OWNER), &[create_store("x")], now),
    )
    .unwrap();
    let error = execute(&kept, &mut here, &asked).unwrap_err();
    assert_eq!(error.code(), "precondition-failed");
}
