//! Things that JavaScript knows by a number.

use lightning_db_bindings::{Error, ErrorKind, Result, closed};

/// A number is, from its lowest bit on, a place, a kind, and what tells one use of a place from the next.
const PLACES: u64 = 1 << 22;
const USE: u64 = 1 << 24;

/// Number of whatever goes through a keyspace of another handle of a database.
pub const FOREIGN: f64 = -1.0;

/// Kinds of things. A number tells which one it is of.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Keyspace,
    Snapshot,
    Transaction,
    Scan,
}

impl Kind {
    /// The kind that a number is of.
    #[inline]
    pub fn of(number: f64) -> Kind {
        match number as u64 / PLACES % (USE / PLACES) {
            0 => Kind::Keyspace,
            1 => Kind::Snapshot,
            2 => Kind::Transaction,
            _ => Kind::Scan,
        }
    }

    /// Its word in messages.
    fn word(self) -> &'static str {
        match self {
            Kind::Keyspace => "keyspace",
            Kind::Snapshot => "snapshot",
            Kind::Transaction => "transaction",
            Kind::Scan => "scan",
        }
    }
}

/// A table of things of one kind by number. Numbers are above 0, are exact as `f64`, and are not used twice.
pub struct Slots<T> {
    kind: Kind,
    slots: Vec<Slot<T>>,
    free: Vec<usize>,
}

struct Slot<T> {
    number: f64,
    thing: Option<T>,
}

impl<T> Slots<T> {
    /// An empty table.
    pub fn new(kind: Kind) -> Self {
        Slots { kind, slots: Vec::new(), free: Vec::new() }
    }

    /// Adds a thing. Errors: `TooMany`.
    pub fn add(&mut self, thing: T) -> Result<f64> {
        if let Some(slot) = self.free.pop().and_then(|place| self.slots.get_mut(place)) {
            slot.thing = Some(thing);
            return Ok(slot.number);
        }
        let place = self.slots.len() as u64;
        if place == PLACES {
            return Err(Error::new(
                ErrorKind::TooMany,
                format!("too many open handles of kind {}", self.kind.word()),
            ));
        }
        let number = (USE + self.kind as u64 * PLACES + place) as f64;
        self.slots.push(Slot { number, thing: Some(thing) });
        Ok(number)
    }

    #[cold]
    fn refused(&self, number: f64) -> Error {
        match number == FOREIGN {
            true => Error::invalid("the keyspace is of another database, or of another handle of it"),
            false => closed(self.kind.word()),
        }
    }

    /// The thing with a number. Errors: `Closed`; `InvalidArgument` for `FOREIGN`.
    #[inline]
    pub fn get(&self, number: f64) -> Result<&T> {
        let slot = self.slots.get(place(number)).filter(|slot| slot.number == number);
        slot.and_then(|slot| slot.thing.as_ref()).ok_or_else(|| self.refused(number))
    }

    /// Takes a thing out: its number is closed.
    pub fn take(&mut self, number: f64) -> Option<T> {
        let slot = self.slots.get_mut(place(number)).filter(|slot| slot.number == number)?;
        let thing = slot.thing.take()?;
        slot.number += USE as f64;
        self.free.push(place(number));
        Some(thing)
    }

    /// Takes all things out.
    pub fn clear(&mut self) -> Vec<T> {
        let numbers: Vec<_> = self.slots.iter().map(|slot| slot.number).collect();
        numbers.into_iter().filter_map(|number| self.take(number)).collect()
    }
}

/// 2^29 uses of a place are exact; no process lives to see them.
#[inline]
fn place(number: f64) -> usize {
    (number as u64 % PLACES) as usize
}
