//! A periodic access review of an account with a year behind it.
//!
//! `cargo run --release --example access_review` makes up 2,000 members, 18 groups, 60 stores and 5,000 changes (the
//! same ones every time), writes their records to a directory as a service would have, reads them back, and then does
//! what a reviewer does: looks at the findings, asks one question of each kind, and saves a page to review and a graph.

use std::error::Error;
use std::fs;
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::mem::discriminant;
use std::path::{Path, PathBuf};
use std::time::Instant;

use grantbook::command::{
    AddMembers, AddToGroup, CreateGroup, CreateStore, DefineRole, DeleteStore, EditGroup,
    GrantOwnership, GrantRole, InviteMember, ReinstateMember, RemoveFromGroup, RemoveMembers,
    RevokeOwnership, SuspendMember,
};
use grantbook::{
    AccessLevel, Account, AccountId, Actor, Command, Description, Grant, GroupId, GroupLimit,
    GroupName, MatrixStatus, MemberId, ParseError, Permission, Permissions, Quoted, Record,
    Resource, RoleId, RoleLevel, RoleName, StoreId, Timestamp, Visible, history,
};

const MEMBERS: usize = 2_000;
const STORES: usize = 60;
const CHANGES: usize = 5_000;
/// 1 January 2025, and what it takes for 5,000 changes to fill a year.
const BEGINNING: u64 = 1_735_689_600_000;
const BETWEEN_CHANGES: u64 = 365 * 24 * 3_600_000 / CHANGES as u64;

const TEAMS: [&str; 17] = [
    "Platform",
    "Payments",
    "Search",
    "Mobile",
    "Web",
    "Data",
    "Analytics",
    "Security",
    "Support",
    "Finance",
    "Legal",
    "Marketing",
    "Sales",
    "Partners",
    "Research",
    "Quality",
    "Operations",
];

const FIRST_NAMES: [&str; 40] = [
    "ada", "ben", "cora", "dan", "eva", "finn", "gina", "hugo", "ida", "jan", "kira", "leo",
    "mona", "nico", "olga", "paul", "quinn", "rosa", "sven", "tara", "ugo", "vera", "will",
    "xenia", "yuri", "zoe", "amir", "bela", "chen", "dora", "emil", "fay", "glen", "hana", "ivan",
    "jade", "karl", "lena", "max", "nora",
];
const LAST_NAMES: [&str; 50] = [
    "abel", "brandt", "cruz", "diaz", "evans", "fuchs", "garcia", "haas", "ito", "jansen", "kim",
    "lang", "meyer", "novak", "ortiz", "park", "quist", "rossi", "silva", "tanaka", "ueda",
    "vogel", "weber", "xu", "young", "zeman", "adler", "bauer", "costa", "dietz", "ernst", "falk",
    "gomez", "hahn", "ivanov", "jung", "keller", "lopez", "mori", "nagy", "olsen", "peters",
    "ruiz", "sato", "torres", "ulrich", "vega", "wolf", "yilmaz", "zhang",
];

grantbook::permissions! {
    /// All that this application checks, beside what is built in.
    static CATALOG;

    const LOG_EXPORT = "log.export" @ Store;
    const READ_TITLES = "store.read.titles" @ Store;
}

fn main() -> Result<(), Box<dyn Error>> {
    let started = Instant::now();
    let folder = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/target/access_review"));
    fs::create_dir_all(folder.join("records"))?;
    write_records(&folder.join("records"), &a_year()?)?;

    let records = read_records(&folder.join("records"))?;
    let account = Account::replay(&records)?;
    let now = account.changed_at();
    println!(
        "ACCESS REVIEW of account {}, {}",
        Quoted(account.id()),
        date(now)
    );
    println!(
        "{} records; {} members, {} groups, {} stores, owners: {}\n",
        records.len(),
        account.member_count(),
        account.groups().count(),
        account.stores().count(),
        account.owners().count(),
    );
    findings(&account, now);
    who_differs(&account);
    questions(&account, &records)?;
    questions_about_changes(&account, &records, now)?;
    questions_about_managers(&account, &records, now)?;
    save(&account, &folder, now)?;
    eprintln!("\n(took {:.1} s)", started.elapsed().as_secs_f64());
    Ok(())
}

fn findings(account: &Account, now: Timestamp) {
    println!("WHAT TO LOOK AT\n");
    // Of many findings of one kind, three stand for the others.
    for alike in account
        .review_with(now, &CATALOG)
        .chunk_by(|one, other| discriminant(one) == discriminant(other))
    {
        for finding in alike.iter().take(3) {
            println!("- {finding}");
        }
        if alike.len() > 3 {
            println!("  ... and {} more like these", alike.len() - 3);
        }
    }
    println!();
}

/// Whom to look at first: the rows of the matrix begin with whoever differs.
fn who_differs(account: &Account) {
    let matrix = account.matrix();
    println!("WHO IS AN OWNER, MAY BECOME ONE, OR HOLDS SOMETHING AT THE ACCOUNT?\n");
    for row in &matrix.rows {
        let first = row.member_ids().next().map_or("", MemberId::as_str);
        let who = match row.count {
            1 => Quoted(first).to_string(),
            count => format!("{} and {} more", Quoted(first), count - 1),
        };
        if row.status < MatrixStatus::Active || row.has_account_access() {
            println!(
                "  {who}: {}, at the account {}",
                row.status,
                listed(&row.account)
            );
        }
    }

    println!("\nWHO HOLDS SOMETHING IN A STORE, BUT NO LEVEL THERE? Three rows stand for all\n");
    let cells = matrix.rows.iter().flat_map(|row| {
        let cells = matrix.stores.iter().zip(&row.cells);
        cells.map(move |(store, cell)| (row, store, cell))
    });
    let custom: Vec<_> = cells
        .filter(|(_, _, cell)| cell.level() == AccessLevel::Custom)
        .collect();
    for (row, store, cell) in custom.iter().take(3) {
        let first = row.member_ids().next().map_or("", |member| member);
        let others = row.count.saturating_sub(1);
        let (who, store) = (Visible(first), Visible(store));
        println!("  {who} and {others} more in {store}: {cell}");
    }
    println!(
        "  ... {} rows and stores in all, of {} rows for {} members\n",
        custom.len(),
        matrix.rows.len(),
        account.member_count()
    );
}

fn questions(account: &Account, records: &[Record]) -> Result<(), Box<dyn Error>> {
    let vault = Resource::Store("store-07");
    let now = account.changed_at();
    println!("WHO CAN WRITE IN store-07? The first page of ten, and where the next one begins\n");
    let page: Vec<_> = account
        .who_can(&Permission::STORE_WRITE, vault, None)
        .take(10)
        .collect();
    let names: Vec<&str> = page.iter().map(|member| member.as_str()).collect();
    println!("  {}", Visible(&names.join(", ")));
    let all = account
        .who_can(&Permission::STORE_WRITE, vault, None)
        .count();
    println!(
        "  {all} in all; the next page comes after {}\n",
        Quoted(names.last().unwrap_or(&""))
    );

    // Of these, the one with the most eventful past.
    let mut someone = (0, *names.first().ok_or("nobody to ask about")?);
    for name in names.iter().filter(|name| !is_owner(account, name)) {
        let intervals = history::access(records, None, name, &Permission::STORE_WRITE, vault)?;
        someone = someone.max((intervals.len(), *name));
    }
    let (_, someone) = someone;
    println!(
        "WHY?\n\n{}\n",
        indented(&account.explain(someone, &Permission::STORE_WRITE, vault, now))
    );
    let may_not = |id: &MemberId| {
        account
            .member(id)
            .is_some_and(|member| member.status().is_active() && member.groups().next().is_some())
            && !account.can(id, &Permission::STORE_READ, vault)
    };
    let nobody = account
        .members()
        .map(|member| member.id())
        .find(|id| may_not(id));
    let nobody = nobody.ok_or("everybody may read there")?;
    println!(
        "AND WHY NOT?\n\n{}\n",
        indented(&account.explain(nobody, &Permission::STORE_READ, vault, now))
    );

    println!("WHERE ELSE CAN {} WRITE?\n", Quoted(someone));
    let stores: Vec<&str> = account
        .stores_for(someone, &Permission::STORE_WRITE, None)
        .map(StoreId::as_str)
        .collect();
    println!("  {}\n", Visible(&stores.join(", ")));

    let here = account.permissions_on(someone, vault)?;
    println!(
        "  in store-07 it has {} access, and no other permission than these: {}\n",
        here.level(),
        listed(&here)
    );

    println!("SINCE WHEN COULD {} WRITE IN store-07?\n", Quoted(someone));
    for interval in history::access(records, None, someone, &Permission::STORE_WRITE, vault)? {
        let told = |record: &Record| {
            format!(
                "{} ({} by {}, record {})",
                date(record.at()),
                record.event().kind(),
                record.actor(),
                record.version()
            )
        };
        println!(
            "  from {}",
            interval.began.map_or("the beginning".to_owned(), told)
        );
        println!("    to {}", interval.ended.map_or("now".to_owned(), told));
    }
    let touching = history::changes_touching(records, None, someone)?;
    println!("  {} changes of the year touched it\n", touching.len());

    println!("WHO COULD DO HOW MUCH HALF A YEAR AGO?\n");
    let then = history::at_time(
        records,
        None,
        Timestamp::from_millis(BEGINNING + 182 * 24 * 3_600_000),
    )?;
    let writers = then.who_can(&Permission::STORE_WRITE, vault, None).count();
    println!(
        "  on {} {writers} members could write in store-07; now {all} can\n",
        date(then.changed_at())
    );
    Ok(())
}

fn questions_about_changes(
    account: &Account,
    records: &[Record],
    now: Timestamp,
) -> Result<(), Box<dyn Error>> {
    println!("WHAT DID THE LAST CHANGE TAKE FROM ANYBODY, AND GIVE?\n");
    let (last, earlier) = records.split_last().ok_or("there are records")?;
    let delta = Account::replay(earlier)?.delta_of(last)?;
    println!(
        "  {} by {}: {} members lost something, {} gained something\n",
        last.event().kind(),
        last.actor(),
        delta.who_lost().count(),
        delta.who_gained().count()
    );

    println!("WHAT WOULD HAPPEN IF store-07 WERE DELETED?\n");
    let owner = account.owners().next().ok_or("there is an owner")?;
    let delete = Command::DeleteStore(DeleteStore {
        store: StoreId::parse("store-07")?,
    });
    let preview = account.preview(&Actor::Member(owner.clone()), &[delete], now)?;
    println!(
        "  {} members would lose access to it\n",
        preview.delta.who_lost().count()
    );
    Ok(())
}

fn questions_about_managers(
    account: &Account,
    records: &[Record],
    now: Timestamp,
) -> Result<(), Box<dyn Error>> {
    let manager = account
        .group("managers")
        .and_then(|group| group.members().next())
        .ok_or("a group manager")?;
    let by_manager = history::changes_by(records, &Actor::Member(manager.clone())).count();
    println!(
        "WHAT DID GROUP MANAGER {} CHANGE?\n\n  {by_manager} changes\n",
        Quoted(manager)
    );

    println!(
        "WHAT COULD {} GAIN, ALONE, AND WITH ANOTHER GROUP MANAGER?\n",
        Quoted(manager)
    );
    let other = account
        .group("managers")
        .and_then(|group| group.members().nth(1))
        .ok_or("a second one")?;
    println!(
        "  alone: {} permissions",
        account.escalation(manager, None, 3, now).len()
    );
    let together = account.escalation(manager, Some(other), 3, now);
    println!(
        "  with {}: {} permissions between them, for example",
        Quoted(other),
        together.len()
    );
    if let Some(gain) = together.iter().find(|gain| gain.member == *manager) {
        println!("  {gain}");
    }
    Ok(())
}

fn save(account: &Account, folder: &Path, now: Timestamp) -> Result<(), Box<dyn Error>> {
    let (page, graph) = (folder.join("review.html"), folder.join("graph.mmd"));
    fs::write(
        &page,
        account.to_html_with("Access review of Acme", now, &CATALOG),
    )?;
    fs::write(&graph, account.to_mermaid(5))?;
    println!(
        "\nSAVED\n\n  target/access_review/review.html: a page to review, for a browser or a printer"
    );
    println!("  target/access_review/graph.mmd: groups, roles and stores, for a Mermaid viewer");
    Ok(())
}

fn listed(permissions: &Permissions) -> String {
    match permissions {
        Permissions::All => "everything".to_owned(),
        Permissions::Only(none) if none.is_empty() => "nothing".to_owned(),
        Permissions::Only(permissions) => permissions
            .iter()
            .map(Permission::as_str)
            .collect::<Vec<_>>()
            .join(", "),
    }
}

fn is_owner(account: &Account, id: &str) -> bool {
    account
        .member(id)
        .is_some_and(|member| member.status().is_owner())
}

fn indented(text: &impl ToString) -> String {
    text.to_string()
        .lines()
        .map(|line| format!("  {line}"))
        .collect::<Vec<_>>()
        .join("\n")
}

fn date(time: Timestamp) -> String {
    let date = |time| humantime::format_rfc3339_seconds(time).to_string();
    time.to_system_time()
        .map(date)
        .map_or(String::new(), |date| date.chars().take(10).collect())
}

/// A file for each month, a record on each line.
fn write_records(folder: &Path, records: &[Record]) -> Result<(), Box<dyn Error>> {
    for (month, records) in records.chunks(records.len().div_ceil(12)).enumerate() {
        let mut file = BufWriter::new(fs::File::create(
            folder.join(format!("{:02}.jsonl", month + 1)),
        )?);
        for record in records {
            serde_json::to_writer(&mut file, record)?;
            file.write_all(b"\n")?;
        }
        file.flush()?;
    }
    Ok(())
}

fn read_records(folder: &Path) -> Result<Vec<Record>, Box<dyn Error>> {
    let mut paths = fs::read_dir(folder)?
        .map(|entry| Ok(entry?.path()))
        .collect::<std::io::Result<Vec<_>>>()?;
    paths.sort();
    let mut records = Vec::new();
    for path in paths {
        for line in BufReader::new(fs::File::open(path)?).lines() {
            records.push(serde_json::from_str(&line?)?);
        }
    }
    Ok(records)
}

/// Numbers that look random and are the same every time (`SplitMix64`).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ (mixed >> 31)) % bound as u64).unwrap_or(0)
    }
}

fn member(number: usize) -> Result<MemberId, ParseError> {
    let first = FIRST_NAMES[number % FIRST_NAMES.len()];
    let last = LAST_NAMES[number / FIRST_NAMES.len()];
    MemberId::parse(&format!("{first}.{last}@acme.example"))
}

fn store(number: usize) -> Result<StoreId, ParseError> {
    StoreId::parse(&format!("store-{number:02}"))
}

fn team(number: usize) -> Result<GroupId, ParseError> {
    GroupId::parse(&TEAMS[number % TEAMS.len()].to_lowercase())
}

fn stores(numbers: &mut Numbers, most: usize) -> Result<Vec<StoreId>, ParseError> {
    (0..=numbers.below(most))
        .map(|_| store(numbers.below(STORES)))
        .collect()
}

/// A year of an account: set up by the application, then changed by its owners and group managers.
fn a_year() -> Result<Vec<Record>, Box<dyn Error>> {
    let mut numbers = Numbers(7);
    let owner = member(0)?;
    let (mut account, first) = Account::open(
        AccountId::parse("acme")?,
        owner.clone(),
        GroupLimit::default(),
        Timestamp::from_millis(BEGINNING),
    );
    let mut records = vec![first];
    for command in set_up(&mut numbers)? {
        records.extend(account.execute(
            &Actor::System,
            &command,
            Timestamp::from_millis(BEGINNING),
        )?);
    }
    let managers = [member(1)?, member(2)?, member(3)?];
    let mut change = 0;
    let set_up = records.len();
    while records.len() < set_up + CHANGES {
        change += 1;
        let now =
            Timestamp::from_millis(BEGINNING + (records.len() - set_up) as u64 * BETWEEN_CHANGES);
        let by_owner = change % 10 == 0;
        let actor = if by_owner {
            owner.clone()
        } else {
            managers[numbers.below(3)].clone()
        };
        let command = if by_owner {
            owners_change(&mut numbers)?
        } else {
            managers_change(&mut numbers)?
        };
        // Some are refused, as in life: a store that is there already, a group that one is in oneself.
        if let Ok(record) = account.execute(&Actor::Member(actor), &command, now) {
            records.extend(record);
        }
    }
    Ok(records)
}

fn set_up(numbers: &mut Numbers) -> Result<Vec<Command>, Box<dyn Error>> {
    let auditor = RoleId::parse("auditor")?;
    let log_keeper = RoleId::parse("log-keeper")?;
    let mut commands = vec![
        Command::AddMembers(AddMembers {
            members: (1..MEMBERS).map(member).collect::<Result<_, _>>()?,
        }),
        Command::DefineRole(DefineRole {
            role: auditor.clone(),
            name: RoleName::parse("Auditor")?,
            level: RoleLevel::Store,
            permissions: [Permission::STORE_READ, LOG_EXPORT].into(),
        }),
        Command::DefineRole(DefineRole {
            role: RoleId::parse("librarian")?,
            name: RoleName::parse("Librarian")?,
            level: RoleLevel::Store,
            permissions: [READ_TITLES].into(),
        }),
        Command::DefineRole(DefineRole {
            role: log_keeper.clone(),
            name: RoleName::parse("Log Keeper")?,
            level: RoleLevel::Store,
            // Meant was `log.export`: nothing refuses what is well formed, and the review finds it.
            permissions: [Permission::parse("log.exprot")?].into(),
        }),
    ];
    for number in 0..STORES {
        commands.push(Command::CreateStore(CreateStore {
            store: store(number)?,
        }));
    }
    commands.push(Command::CreateGroup(CreateGroup {
        group: GroupId::parse("managers")?,
        name: GroupName::parse("Group Managers")?,
        description: Description::parse("Those who manage teams")?,
        grants: vec![
            Grant::group_manager(),
            Grant::in_stores(log_keeper, [store(1)?, store(2)?]),
        ],
    }));
    for (number, name) in TEAMS.into_iter().enumerate() {
        let mut grants = vec![
            Grant::store_editor(stores(numbers, 6)?),
            Grant::store_viewer(stores(numbers, 10)?),
        ];
        if number % 4 == 0 {
            grants.push(Grant::in_stores(auditor.clone(), stores(numbers, 4)?));
        }
        commands.push(Command::CreateGroup(CreateGroup {
            group: team(number)?,
            name: GroupName::parse(&format!("{name} Team"))?,
            description: Description::default(),
            grants,
        }));
        // Most work in one team; some help in a second one.
        let at_home = (number..MEMBERS).step_by(TEAMS.len() + 1).map(member);
        let helpers = (0..4).map(|_| member(numbers.below(MEMBERS)));
        let first = at_home.chain(helpers).collect::<Result<_, _>>()?;
        commands.push(Command::AddToGroup(AddToGroup {
            group: team(number)?,
            members: first,
        }));
    }
    let managers = [member(1)?, member(2)?, member(3)?].into();
    commands.push(Command::AddToGroup(AddToGroup {
        group: GroupId::parse("managers")?,
        members: managers,
    }));
    Ok(commands)
}

fn managers_change(numbers: &mut Numbers) -> Result<Command, Box<dyn Error>> {
    let number = numbers.below(TEAMS.len());
    let group = team(number)?;
    // People come and go in their own team; one in a hundred changes lets somebody into another.
    let is_apart = numbers.below(100) == 0;
    let some = (0..=numbers.below(3))
        .map(|_| {
            let apart = 4 + numbers.below(MEMBERS - 4);
            let place = 1 + numbers.below(MEMBERS / (TEAMS.len() + 1) - 1);
            let at_home = place * (TEAMS.len() + 1) + number;
            member(if is_apart { apart } else { at_home })
        })
        .collect::<Result<_, _>>()?;
    Ok(match numbers.below(21) {
        0..=11 => Command::AddToGroup(AddToGroup {
            group,
            members: some,
        }),
        12..=17 => Command::RemoveFromGroup(RemoveFromGroup {
            group,
            members: some,
        }),
        18 => Command::InviteMember(InviteMember {
            member: MemberId::parse(&format!("guest{}@partner.example", numbers.below(400)))?,
            as_owner: false,
            expires: Some(Timestamp::from_millis(
                BEGINNING + numbers.below(500) as u64 * 24 * 3_600_000,
            )),
        }),
        19 => {
            let librarian = Grant::in_stores(RoleId::parse("librarian")?, stores(numbers, 3)?);
            Command::GrantRole(GrantRole {
                group,
                role: librarian.role,
                scope: librarian.scope,
            })
        }
        _ => Command::EditGroup(EditGroup {
            group,
            name: None,
            description: None,
            grants: Some(vec![
                Grant::store_editor(stores(numbers, 6)?),
                Grant::store_viewer(stores(numbers, 10)?),
            ]),
        }),
    })
}

fn owners_change(numbers: &mut Numbers) -> Result<Command, Box<dyn Error>> {
    Ok(match numbers.below(44) {
        0..=5 => Command::CreateStore(CreateStore {
            store: store(numbers.below(STORES))?,
        }),
        6 => Command::DeleteStore(DeleteStore {
            store: store(8 + numbers.below(STORES - 8))?,
        }),
        7..=18 => Command::RemoveMembers(RemoveMembers {
            members: [member(4 + numbers.below(MEMBERS - 4))?].into(),
        }),
        19..=22 => Command::GrantOwnership(GrantOwnership {
            member: member(4 + numbers.below(3))?,
        }),
        23..=26 => Command::RevokeOwnership(RevokeOwnership {
            member: member(4 + numbers.below(3))?,
        }),
        27 => Command::SuspendMember(SuspendMember {
            member: member(4 + numbers.below(MEMBERS - 4))?,
        }),
        28 => Command::SuspendMember(SuspendMember {
            member: member(4 + numbers.below(3))?,
        }),
        29 => Command::ReinstateMember(ReinstateMember {
            member: member(4 + numbers.below(3))?,
        }),
        30 => Command::InviteMember(InviteMember {
            member: MemberId::parse(&format!("board{}@acme.example", numbers.below(3)))?,
            as_owner: true,
            expires: None,
        }),
        _ => Command::AddToGroup(AddToGroup {
            group: team(numbers.below(TEAMS.len()))?,
            members: [member(numbers.below(MEMBERS))?].into(),
        }),
    })
}
