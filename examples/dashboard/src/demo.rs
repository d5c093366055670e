//! The account that is there to click through.

use std::error::Error;

use grantbook::repository::Request;
use grantbook::{
    Actor, Command, Grant, GroupId, GroupLimit, IdempotencyKey, MemberId, ParseError, StoreId,
};

use crate::ACCOUNT;
use crate::session::now;
use crate::storage::Held;

/// Opens the account, unless the database has it. Both requests have fixed keys: done again, they do nothing.
pub(crate) fn open(accounts: &Held) -> Result<(), Box<dyn Error>> {
    let id = ACCOUNT.parse()?;
    if accounts.get(&id).is_ok() {
        return Ok(());
    }
    let key: IdempotencyKey = "demonstration-opening".parse()?;
    let account = accounts.open(key, id, "olga".parse()?, GroupLimit::default(), now())?;
    let request = Request::by(Actor::System, "demonstration-people".parse()?, now());
    account.execute(&request.commands(people()?))?;
    Ok(())
}

fn people() -> Result<Vec<Command>, ParseError> {
    let member = |id: &str| MemberId::parse(id);
    let store = |id: &str| StoreId::parse(id);
    let (dev, staging, production) = (store("dev")?, store("staging")?, store("production")?);
    let (it, devs, readers, integrations): (GroupId, GroupId, GroupId, GroupId) = (
        "it".parse()?,
        "dev-team".parse()?,
        "read-only".parse()?,
        "integrations".parse()?,
    );
    let both = [
        Grant::store_editor([staging.clone()]),
        Grant::store_viewer([production.clone()]),
    ];
    Ok(vec![
        Command::add_members([
            member("gil")?,
            member("ada")?,
            member("ben")?,
            member("cleo")?,
            member("iris")?,
            member("nina")?,
        ]),
        Command::invite_member(member("pat@example.com")?, None),
        Command::create_store(dev.clone()),
        Command::create_store(staging.clone()),
        Command::create_store(production.clone()),
        Command::create_group(&it, "IT Group".parse()?, [Grant::group_manager()]),
        Command::describe_group(&it, "Information Technology Team".parse()?),
        Command::create_group(
            &devs,
            "Dev Team".parse()?,
            [Grant::store_editor([dev, staging])],
        ),
        Command::describe_group(&devs, "Software Development Team".parse()?),
        Command::create_group(
            &readers,
            "Read-Only Access".parse()?,
            [Grant::store_viewer([production])],
        ),
        Command::create_group(&integrations, "Integrations Team".parse()?, both),
        Command::add_to_group(&it, [member("gil")?]),
        Command::add_to_group(&devs, [member("ada")?, member("ben")?]),
        Command::add_to_group(&readers, [member("cleo")?]),
        Command::add_to_group(&integrations, [member("ada")?, member("iris")?]),
    ])
}
