//! The CSV form of members and groups.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufReader, Read};

use csv::{ErrorKind, StringRecord};
use grantbook::{
    CommandError, Description, Grant, GroupId, GroupName, MemberId, ParseError, Quoted, RoleId,
    StoreId,
};

const COLUMNS: [&str; 6] = ["kind", "id", "groups", "name", "description", "grants"];
/// Between the entries of one cell.
const BETWEEN: char = '|';
/// Between a role and its store.
const AT: char = '@';

/// A file that was read as far as possible.
#[derive(Default)]
pub(crate) struct Table {
    pub(crate) groups: BTreeMap<GroupId, GroupLine>,
    pub(crate) members: BTreeMap<MemberId, MemberLine>,
    /// Groups of which there is a line, but no good one.
    pub(crate) bad_groups: BTreeSet<GroupId>,
    /// By line.
    pub(crate) bad: BTreeMap<u64, Problem>,
}

pub(crate) struct GroupLine {
    pub(crate) line: u64,
    pub(crate) name: GroupName,
    pub(crate) description: Description,
    pub(crate) grants: Vec<Grant>,
}

pub(crate) struct MemberLine {
    pub(crate) line: u64,
    pub(crate) groups: BTreeSet<GroupId>,
}

/// What is wrong with a line.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Problem {
    #[error("it is not UTF-8")]
    NotText,
    #[error("it has {cells} cells, and the first line has {columns}")]
    Cells { cells: u64, columns: u64 },
    #[error("there is no column {}; the columns are {columns}", Quoted(.0), columns = COLUMNS.join(", "))]
    UnknownColumn(String),
    #[error("there are two columns {}", Quoted(.0))]
    TwoColumns(String),
    #[error("the column `{0}` is missing")]
    NoColumn(&'static str),
    #[error("the kind is {}; it is `member` or `group`", Quoted(.0))]
    Kind(String),
    #[error("a {kind} has nothing in the column `{column}`")]
    NotForThis {
        kind: &'static str,
        column: &'static str,
    },
    #[error("{column}: {problem}")]
    Text {
        column: &'static str,
        problem: ParseError,
    },
    #[error("{kind} {id} has a line already, line {line}", id = Quoted(id))]
    Twice {
        kind: &'static str,
        id: String,
        line: u64,
    },
    #[error("there is a group {} already, with another name, description or grants", Quoted(.0))]
    AnotherGroup(GroupId),
    #[error("{0}")]
    Refused(CommandError),
}

/// Reads a file to its end, whatever is wrong with its lines.
pub(crate) fn read(input: impl Read) -> Result<Table, csv::Error> {
    let mut text = Vec::new();
    BufReader::new(input).read_to_end(&mut text)?;
    let lines = Lines::of(&text);
    let mut table = Table::default();
    let mut reader = csv::Reader::from_reader(&*text);
    let columns = match reader.headers() {
        Ok(headers) => Columns::of(headers),
        Err(error) => Err(problem_of(error, &lines)?.1),
    };
    let columns = match columns {
        Ok(columns) => columns,
        Err(problem) => {
            table.bad.insert(1, problem);
            return Ok(table);
        }
    };
    for row in reader.into_records() {
        match row {
            Ok(row) => {
                let line = row.position().map_or(0, |at| lines.line(at));
                if let Err(problem) = table.take(line, &columns.cells(&row)) {
                    table.bad.insert(line, problem);
                }
            }
            Err(error) => {
                let (line, problem) = problem_of(error, &lines)?;
                table.bad.insert(line, problem);
            }
        }
    }
    Ok(table)
}

/// What is wrong with a row that is no row of cells; an error, if nothing more can be read.
fn problem_of(error: csv::Error, lines: &Lines<'_>) -> Result<(u64, Problem), csv::Error> {
    match error.kind() {
        ErrorKind::UnequalLengths {
            pos: Some(at),
            expected_len,
            len,
        } => {
            let (cells, columns) = (*len, *expected_len);
            Ok((lines.line(at), Problem::Cells { cells, columns }))
        }
        ErrorKind::Utf8 { pos: Some(at), .. } => Ok((lines.line(at), Problem::NotText)),
        _ => Err(error),
    }
}

/// The lines of a text, to say on which a row begins: the reader says where it began to look for one, before empty lines.
struct Lines<'t> {
    text: &'t [u8],
    /// Where each line but the first begins.
    begin: Vec<usize>,
}

impl<'t> Lines<'t> {
    fn of(text: &'t [u8]) -> Self {
        // As for the reader, a line ends with `\n`, `\r\n` or a `\r` alone.
        let ends = text
            .iter()
            .enumerate()
            .filter(|(place, byte)| match **byte {
                b'\r' => text.get(place + 1) != Some(&b'\n'),
                byte => byte == b'\n',
            });
        let begin = ends.map(|(place, _)| place + 1).collect();
        Self { text, begin }
    }

    fn line(&self, at: &csv::Position) -> u64 {
        let looked = usize::try_from(at.byte()).unwrap_or(self.text.len());
        let rest = self.text.get(looked..).unwrap_or_default();
        let empty = rest.iter().take_while(|byte| matches!(byte, b'\r' | b'\n'));
        let row = looked + empty.count();
        self.begin.partition_point(|begin| *begin <= row) as u64 + 1
    }
}

/// Where in a row each column of [`COLUMNS`] is.
struct Columns([Option<usize>; COLUMNS.len()]);

impl Columns {
    fn of(headers: &StringRecord) -> Result<Self, Problem> {
        let mut places = [None; COLUMNS.len()];
        for (place, header) in headers.iter().enumerate() {
            let column = COLUMNS.iter().position(|column| *column == header);
            let column = column.ok_or_else(|| Problem::UnknownColumn(header.to_owned()))?;
            if places[column].replace(place).is_some() {
                return Err(Problem::TwoColumns(header.to_owned()));
            }
        }
        for column in 0..2 {
            places[column].ok_or(Problem::NoColumn(COLUMNS[column]))?;
        }
        Ok(Self(places))
    }

    /// A row's cells, in the order of [`COLUMNS`]; what is not there is empty.
    fn cells<'r>(&self, row: &'r StringRecord) -> [&'r str; COLUMNS.len()] {
        self.0
            .map(|place| place.and_then(|place| row.get(place)).unwrap_or_default())
    }
}

impl Table {
    fn take(&mut self, line: u64, cells: &[&str; COLUMNS.len()]) -> Result<(), Problem> {
        let [kind, id, groups, name, description, grants] = *cells;
        match kind {
            "member" => {
                let member = text("id", id, MemberId::parse)?;
                let unused = [
                    ("name", name),
                    ("description", description),
                    ("grants", grants),
                ];
                nothing_in("member", &unused)?;
                let groups = entries(groups)
                    .map(|group| text("groups", group, GroupId::parse))
                    .collect::<Result<_, _>>()?;
                if let Some(MemberLine { line, .. }) = self.members.get(&member) {
                    return Err(twice("member", id, *line));
                }
                self.members.insert(member, MemberLine { line, groups });
            }
            "group" => {
                let group = text("id", id, GroupId::parse)?;
                let read = || -> Result<GroupLine, Problem> {
                    nothing_in("group", &[("groups", groups)])?;
                    Ok(GroupLine {
                        line,
                        name: text("name", name, GroupName::parse)?,
                        description: text("description", description, Description::parse)?,
                        grants: entries(grants).map(grant).collect::<Result<_, _>>()?,
                    })
                };
                if let Some(GroupLine { line, .. }) = self.groups.get(&group) {
                    return Err(twice("group", id, *line));
                }
                match read() {
                    Ok(read) => self.groups.insert(group, read),
                    Err(problem) => {
                        self.bad_groups.insert(group);
                        return Err(problem);
                    }
                };
            }
            _ => return Err(Problem::Kind(kind.to_owned())),
        }
        Ok(())
    }
}

/// `store-editor@dev`, or `group-manager`, which has no store.
fn grant(entry: &str) -> Result<Grant, Problem> {
    Ok(match entry.split_once(AT) {
        Some((role, store)) => Grant::in_stores(
            text("grants", role, RoleId::parse)?,
            [text("grants", store, StoreId::parse)?],
        ),
        None => Grant::at_account(text("grants", entry, RoleId::parse)?),
    })
}

fn entries(cell: &str) -> impl Iterator<Item = &str> {
    cell.split(BETWEEN).filter(move |_| !cell.is_empty())
}

fn nothing_in(kind: &'static str, cells: &[(&'static str, &str)]) -> Result<(), Problem> {
    match cells.iter().find(|(_, cell)| !cell.is_empty()) {
        Some((column, _)) => Err(Problem::NotForThis { kind, column }),
        None => Ok(()),
    }
}

fn text<T>(
    column: &'static str,
    cell: &str,
    parse: fn(&str) -> Result<T, ParseError>,
) -> Result<T, Problem> {
    parse(cell).map_err(|problem| Problem::Text { column, problem })
}

fn twice(kind: &'static str, id: &str, line: u64) -> Problem {
    let id = id.to_owned();
    Problem::Twice { kind, id, line }
}
