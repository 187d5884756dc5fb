//! The form of a case. A field or an operation that is not known here fails.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde::de::{Deserializer, Error as _};
use serde_json::{Map, Value};

pub use crate::bytes::{Bytes, Name};
use crate::handles::Range;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    pub name: String,
    #[serde(default)]
    pub options: Options,
    #[serde(default = "yes")]
    pub open: bool,
    pub steps: Vec<Step>,
}

pub type Options = BTreeMap<String, Value>;
pub type Figures = BTreeMap<String, Value>;

fn yes() -> bool {
    true
}

pub struct Step {
    /// The name of the operation, as written.
    pub op: String,
    pub on: Option<String>,
    pub error: Option<String>,
    pub what: Op,
}

#[derive(Deserialize)]
#[serde(tag = "op", rename_all = "snake_case", deny_unknown_fields)]
pub enum Op {
    Open {
        r#as: String,
        path: String,
        #[serde(default)]
        options: Options,
    },
    Close {},
    Put {
        key: Bytes,
        value: Bytes,
        level: Option<String>,
        timeout: Option<f64>,
        keyspace: Option<String>,
    },
    Get {
        key: Bytes,
        #[serde(default, deserialize_with = "given")]
        is: Option<Option<Bytes>>,
    },
    Delete {
        key: Bytes,
        level: Option<String>,
        timeout: Option<f64>,
        keyspace: Option<String>,
    },
    PutMany {
        entries: Vec<(Bytes, Bytes)>,
        level: Option<String>,
        timeout: Option<f64>,
    },
    GetMany {
        keys: Vec<Bytes>,
        is: Option<Vec<Option<Bytes>>>,
    },
    DeleteMany {
        keys: Vec<Bytes>,
        level: Option<String>,
        timeout: Option<f64>,
    },
    Ingest {
        entries: Vec<(Bytes, Bytes)>,
        is: Option<u64>,
    },
    Batch {
        r#as: String,
    },
    Write {
        level: Option<String>,
        timeout: Option<f64>,
    },
    Scan(Scan),
    Count(Count),
    Cursor(Cursor),
    Next {
        #[serde(default, deserialize_with = "given")]
        is: Option<Option<(Bytes, Bytes)>>,
    },
    Snapshot {
        r#as: String,
    },
    Transaction {
        r#as: String,
        isolation: Option<String>,
    },
    Commit {
        level: Option<String>,
    },
    Abort {},
    Transact(Transact),
    Backup {
        path: String,
    },
    Restore {
        source: String,
        target: String,
    },
    Flush {},
    Compact {
        #[serde(default)]
        cancel: bool,
        progress: Option<bool>,
    },
    ClearCache {},
    Stats {
        is: Option<Figures>,
    },
    Metrics {
        #[serde(default)]
        is: Figures,
        #[serde(default)]
        at_least: Figures,
    },
    MemoryStats {
        #[serde(default)]
        is: Figures,
        #[serde(default)]
        at_least: Figures,
    },
    Prometheus {
        contains: Option<String>,
    },
    ApproximateSize(ApproximateSize),
    CreateKeyspace {
        r#as: String,
        name: Name,
        #[serde(default)]
        options: Options,
    },
    Keyspace {
        r#as: String,
        name: Name,
    },
    ListKeyspaces {
        is: Option<Vec<Name>>,
    },
    DropKeyspace {
        name: Name,
    },
    In {
        r#as: String,
        keyspace: String,
    },
    Check(Examination),
    Repair(Examination),
    Damage {
        file: String,
        offset: i64,
        xor: u8,
    },
    WriteFile {
        path: String,
        bytes: Bytes,
    },
    MakeFolder {
        path: String,
    },
    Raise {
        code: u8,
    },
    Disk {
        name: String,
        command: String,
    },
    FailEach(FailEach),
}

/// Steps with the bounds of a scan. (A flattened field would not refuse unknown ones.)
macro_rules! bounded {
    ($($(#[$doc:meta])* $name:ident { $($field:ident: $type:ty,)* })*) => {$(
        $(#[$doc])*
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        pub struct $name {
            pub gt: Option<Bytes>,
            pub gte: Option<Bytes>,
            pub lt: Option<Bytes>,
            pub lte: Option<Bytes>,
            pub prefix: Option<Bytes>,
            #[serde(default)]
            pub reverse: bool,
            pub limit: Option<usize>,
            $(pub $field: $type,)*
        }

        impl $name {
            /// The bounds.
            pub fn range(&self) -> Range {
                let sides = [&self.gt, &self.gte, &self.lt, &self.lte, &self.prefix];
                let sides = sides.map(|side| side.as_ref().map(Bytes::get));
                Range { sides, reverse: self.reverse, limit: self.limit }
            }
        }
    )*};
}

bounded! {
    Scan {
        only: Option<Only>,
        is: Option<Vec<Entry>>,
        either: Option<Vec<Vec<Entry>>>,
        count: Option<usize>,
    }
    /// Its entries are counted.
    Count {
        is: Option<u64>,
    }
    /// The size of its entries is estimated.
    ApproximateSize {
        at_least: Option<u64>,
        at_most: Option<u64>,
    }
    /// Its entries are asked for one by one.
    Cursor {
        r#as: String,
    }
}

impl Scan {
    fn results(&self) -> usize {
        [self.is.is_some(), self.either.is_some(), self.count.is_some()]
            .into_iter()
            .filter(|&has| has)
            .count()
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Examination {
    pub path: String,
    #[serde(default)]
    pub options: Options,
    pub ok: Option<bool>,
    pub lost: Option<usize>,
}

#[derive(Clone, Copy, Deserialize, PartialEq)]
#[serde(rename_all = "snake_case")]
pub enum Only {
    Keys,
    Values,
}

#[derive(Deserialize)]
#[serde(untagged)]
pub enum Entry {
    Both(Bytes, Bytes),
    One(Bytes),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Transact {
    pub r#as: String,
    pub steps: Vec<Step>,
    #[serde(default)]
    pub interfere: Vec<Step>,
    #[serde(default)]
    pub fail: bool,
    pub attempts: Option<u32>,
}

/// Its steps are done again and again, each time with another call that fails.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FailEach {
    pub disk: String,
    pub fault: Fault,
    pub errno: i32,
    pub errors: BTreeSet<String>,
    #[serde(default)]
    pub before: Vec<Step>,
    pub steps: Vec<Step>,
    #[serde(default)]
    pub after: Vec<Step>,
    pub at_least: u64,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fault {
    Fail,
    FailFrom,
    FailRead,
    FailReadsFrom,
}

/// Tells null from a field that is left out.
fn given<'de, D: Deserializer<'de>, T: Deserialize<'de>>(from: D) -> Result<Option<Option<T>>, D::Error> {
    Option::deserialize(from).map(Some)
}

impl<'de> Deserialize<'de> for Step {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let mut fields = Map::deserialize(from)?;
        let text = |value| serde_json::from_value::<String>(value).map_err(D::Error::custom);
        let on = fields.remove("on").map(text).transpose()?;
        let error = fields.remove("error").map(text).transpose()?;
        let op = fields.get("op").cloned().map(text).transpose()?.unwrap_or_default();
        let shown = Value::Object(fields.clone()).to_string();
        let shown: String = shown.chars().take(200).collect();
        let what = serde_json::from_value(Value::Object(fields))
            .map_err(|error| D::Error::custom(format!("{error} in {shown}")))?;
        let step = Step { op, on, error, what };
        match step.problem() {
            Some(problem) => Err(D::Error::custom(format!("{problem} in {shown}"))),
            None => Ok(step),
        }
    }
}

impl Step {
    /// Steps inside of this one.
    pub fn inner(&self) -> Vec<&Step> {
        match &self.what {
            Op::Transact(transact) => transact.steps.iter().chain(&transact.interfere).collect(),
            Op::FailEach(each) => each.before.iter().chain(&each.steps).chain(&each.after).collect(),
            _ => Vec::new(),
        }
    }

    /// A step that would check nothing, or more than it can.
    fn problem(&self) -> Option<&'static str> {
        let result = match &self.what {
            Op::Get { is, .. } => is.is_some(),
            Op::GetMany { is, .. } => is.is_some(),
            Op::Ingest { is, .. } => is.is_some(),
            Op::Scan(scan) => match scan.results() {
                0 => false,
                1 => true,
                _ => return Some("two results"),
            },
            Op::Count(count) => count.is.is_some(),
            Op::Next { is } => is.is_some(),
            Op::Stats { is } => is.is_some(),
            Op::Metrics { is, at_least } | Op::MemoryStats { is, at_least } => {
                !is.is_empty() || !at_least.is_empty()
            }
            Op::Prometheus { contains } => contains.is_some(),
            Op::ApproximateSize(size) => size.at_least.is_some() || size.at_most.is_some(),
            Op::ListKeyspaces { is } => is.is_some(),
            Op::Check(check) | Op::Repair(check) => check.ok.is_some() || check.lost.is_some(),
            Op::Transact(transact) => transact.attempts.is_some(),
            Op::Compact { progress, .. } if self.error.is_some() && progress.is_some() => {
                return Some("a result and an error");
            }
            Op::Raise { .. } => return self.error.is_none().then_some("no error"),
            Op::FailEach(each) if each.steps.iter().any(|step| step.error.is_some()) => {
                return Some("a step that fails for another reason");
            }
            _ => return self.problem_without_result(),
        };
        match (result, &self.error) {
            (true, Some(_)) => Some("a result and an error"),
            (false, None) => Some("no result"),
            _ => None,
        }
    }

    fn problem_without_result(&self) -> Option<&'static str> {
        let free = matches!(
            self.what,
            Op::Open { .. }
                | Op::Restore { .. }
                | Op::Check(_)
                | Op::Repair(_)
                | Op::Damage { .. }
                | Op::WriteFile { .. }
                | Op::MakeFolder { .. }
                | Op::FailEach(_)
        );
        (free && self.on.is_some()).then_some("a handle for an operation that has none")
    }
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("conformance")
}

/// All cases of all files, by the names of the files.
pub fn load() -> Vec<Case> {
    load_from(&folder())
}

/// Those that want a build with the feature `faults`.
pub fn load_faults() -> Vec<Case> {
    load_from(&folder().join("faults"))
}

fn load_from(folder: &Path) -> Vec<Case> {
    let names = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut paths: Vec<_> = names.filter(|path| path.extension().is_some_and(|end| end == "json")).collect();
    paths.sort();
    let mut cases = Vec::new();
    for path in paths {
        let text = std::fs::read_to_string(&path).unwrap();
        let file: Vec<Case> =
            serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        cases.extend(file);
    }
    cases
}

/// The operations in the table of the page.
pub fn told() -> BTreeSet<String> {
    let page = std::fs::read_to_string(folder().join("README.md")).unwrap();
    let (_, steps) = page.split_once("## Steps").unwrap();
    let cells = steps.lines().filter_map(|line| line.strip_prefix("| `")?.split('|').next());
    let names = cells.flat_map(|cell| cell.split([',', '`', ' ']));
    names.filter(|name| !name.is_empty() && *name != "op").map(str::to_owned).collect()
}
