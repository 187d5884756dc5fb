//! Things that JavaScript knows by a number.

use lightning_db_bindings::{Error, ErrorKind, Result, closed};

/// Numbers below this are places; what is above tells one use of a place from the next.
const PLACES: u64 = 1 << 24;

/// A table of things by number. Numbers start at `PLACES`, are exact as `f64`, and are not used twice.
pub struct Slots<T> {
    what: &'static str,
    slots: Vec<Slot<T>>,
    free: Vec<usize>,
}

struct Slot<T> {
    number: f64,
    thing: Option<T>,
}

impl<T> Slots<T> {
    /// `what` is the word for a thing in messages.
    pub fn new(what: &'static str) -> Self {
        Slots { what, slots: Vec::new(), free: Vec::new() }
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
                format!("too many open handles of kind {}", self.what),
            ));
        }
        let number = (PLACES + place) as f64;
        self.slots.push(Slot { number, thing: Some(thing) });
        Ok(number)
    }

    /// The thing with a number. Errors: `Closed`.
    #[inline]
    pub fn get(&self, number: f64) -> Result<&T> {
        let slot = self.slots.get(place(number)).filter(|slot| slot.number == number);
        slot.and_then(|slot| slot.thing.as_ref()).ok_or_else(|| closed(self.what))
    }

    /// Takes a thing out: its number is closed.
    pub fn take(&mut self, number: f64) -> Option<T> {
        let slot = self.slots.get_mut(place(number)).filter(|slot| slot.number == number)?;
        let thing = slot.thing.take()?;
        slot.number += PLACES as f64;
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
