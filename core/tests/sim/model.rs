//! What a database must hold: the states behind each change, and which of them a crash may leave.

use std::collections::BTreeMap;
use std::sync::Arc;

use lightning_db::ConsistencyLevel;

/// The entries of a keyspace.
pub type Entries = BTreeMap<Vec<u8>, Vec<u8>>;

/// The name of the keyspace that is always there.
pub const DEFAULT: &str = "default";

/// All that a database holds, by keyspace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct State(pub BTreeMap<String, Entries>);

impl Default for State {
    fn default() -> Self {
        State(BTreeMap::from([(DEFAULT.to_owned(), Entries::new())]))
    }
}

/// A put (with a value) or a delete, in a keyspace.
#[derive(Clone, Debug)]
pub struct Op {
    pub space: &'static str,
    pub key: Vec<u8>,
    pub value: Option<Vec<u8>>,
}

/// One change: whole or not at all.
#[derive(Clone, Debug)]
pub enum Change {
    Ops(Vec<Op>),
    Make(&'static str),
    Drop(&'static str),
}

impl State {
    pub fn after(&self, change: &Change) -> State {
        let mut next = self.clone();
        match change {
            Change::Ops(ops) => {
                for op in ops {
                    let Some(entries) = next.0.get_mut(op.space) else { continue };
                    match &op.value {
                        Some(value) => entries.insert(op.key.clone(), value.clone()),
                        None => entries.remove(&op.key),
                    };
                }
            }
            Change::Make(name) => drop(next.0.insert((*name).to_owned(), Entries::new())),
            Change::Drop(name) => drop(next.0.remove(*name)),
        }
        next
    }

    /// In short, for a message.
    pub fn brief(&self) -> String {
        let of = |(name, entries): (&String, &Entries)| format!("{name}: {} entries", entries.len());
        self.0.iter().map(of).collect::<Vec<_>>().join(", ")
    }
}

/// How a database was left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Left {
    /// The operating system has all that it was given.
    Killed,
    /// It has what was synced.
    PowerCut,
}

/// The changes that were sent, and how far they are safe. State `n` is the one behind change `n`.
#[derive(Clone, Debug)]
pub struct History {
    states: Vec<Arc<State>>,
    /// The change that leads to each state but the first.
    changes: Vec<Arc<Change>>,
    /// Up to here all survives a kill.
    killed: usize,
    /// Up to here all survives a power cut.
    power: usize,
    /// Keyspaces whose making was acknowledged, and by which change.
    made: Vec<(usize, &'static str)>,
    /// Bytes were damaged on purpose, and are being repaired.
    pub damaged: bool,
    /// What a finished backup holds.
    pub backup: Option<State>,
    /// Whether the backup was acknowledged.
    pub backed_up: bool,
}

impl Default for History {
    fn default() -> Self {
        History {
            states: vec![Arc::default()],
            changes: Vec::new(),
            killed: 0,
            power: 0,
            made: Vec::new(),
            damaged: false,
            backup: None,
            backed_up: false,
        }
    }
}

impl History {
    /// What is seen now.
    pub fn now(&self) -> &State {
        &self.states[self.sent()]
    }

    /// The number of the last change.
    pub fn sent(&self) -> usize {
        self.states.len() - 1
    }

    pub fn state(&self, number: usize) -> &State {
        &self.states[number]
    }

    /// A change is on its way.
    pub fn send(&mut self, change: Change) {
        let next = self.now().after(&change);
        self.states.push(Arc::new(next));
        self.changes.push(Arc::new(change));
    }

    /// The last change was acknowledged at a level.
    pub fn acknowledge(&mut self, level: ConsistencyLevel) {
        let sent = self.sent();
        match self.changes.last().map(|change| &**change) {
            // It comes past the log: what was committed before may still be lost.
            Some(Change::Make(name)) => self.made.push((sent, name)),
            _ => match level {
                ConsistencyLevel::Strong => self.all_durable(),
                ConsistencyLevel::Quorum => self.all_written(),
                ConsistencyLevel::Eventual => {}
            },
        }
    }

    /// All that was sent is on stable storage.
    pub fn all_durable(&mut self) {
        self.killed = self.sent();
        self.power = self.sent();
    }

    /// The operating system has all that was sent.
    pub fn all_written(&mut self) {
        self.killed = self.sent();
    }

    /// The last change was refused, and nothing of it is left.
    pub fn take_back(&mut self) {
        self.states.pop();
        self.changes.pop();
    }

    /// Behind a power cut nothing but what was synced is safe from a kill either.
    pub fn was_left(&mut self, left: Left) {
        self.killed = self.safe(left);
    }

    /// The fewest changes that are there behind a crash.
    pub fn safe(&self, left: Left) -> usize {
        match left {
            Left::Killed => self.killed,
            Left::PowerCut => self.power,
        }
    }

    /// The number of the state that was found, if it is one of those that may be.
    pub fn find(&self, found: &State, left: Left) -> Result<usize, String> {
        let (safe, sent) = (self.safe(left), self.sent());
        let fits = |number: &usize| self.is_state(found, *number);
        if let Some(number) = (safe..=sent).rev().find(fits) {
            return Ok(number);
        }
        let lost = (0..safe).rev().find(fits);
        let why = match lost {
            Some(number) => format!("it is state {number}: acknowledged changes are LOST"),
            None => format!("it is none of the states, {}", self.difference(found)),
        };
        Err(format!(
            "found [{}], expected one of the states {safe} to {sent} [{}]: {why}",
            found.brief(),
            self.now().brief()
        ))
    }

    /// Whether a state was found but for keyspaces that were made behind it, which are empty then.
    fn is_state(&self, found: &State, number: usize) -> bool {
        let expected = &self.states[number];
        let behind = |name: &str, change: &Change| match change {
            Change::Make(made) => *made == name,
            _ => false,
        };
        let later = &self.changes[number..];
        let extra_is_right = found.0.iter().all(|(name, entries)| match expected.0.get(name) {
            Some(expected) => expected == entries,
            None => entries.is_empty() && later.iter().any(|change| behind(name, change)),
        });
        let dropped = |name: &str, by: usize| {
            self.changes[by..].iter().any(|c| matches!(**c, Change::Drop(d) if d == name))
        };
        let made_are_there =
            self.made.iter().all(|(by, name)| found.0.contains_key(*name) || dropped(name, *by));
        extra_is_right && made_are_there && expected.0.keys().all(|name| found.0.contains_key(name))
    }

    /// How a state differs from the newest one.
    fn difference(&self, found: &State) -> String {
        for (name, expected) in &self.now().0 {
            let Some(entries) = found.0.get(name) else { return format!("{name} is missing") };
            for key in expected.keys().chain(entries.keys()) {
                let len = |value: Option<&Vec<u8>>| value.map(Vec::len);
                if entries.get(key) != expected.get(key) {
                    return format!(
                        "{name} {:?}: value of {:?} bytes, in the newest state {:?}",
                        key.escape_ascii().to_string(),
                        len(entries.get(key)),
                        len(expected.get(key))
                    );
                }
            }
        }
        "and has the newest keys".to_owned()
    }

    /// A recovery has found state `number`: what lies behind it never was, and it is safe.
    pub fn settle(&mut self, number: usize, found: State) {
        self.states.truncate(number + 1);
        self.changes.truncate(number);
        let last = self.states.len() - 1;
        self.states[last] = Arc::new(found);
        self.made.retain(|(by, _)| *by <= number);
        self.all_durable();
    }
}
