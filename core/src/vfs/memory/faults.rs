//! Which calls fail: every call that changes or syncs something passes here first, every one that reads in another row.

use std::collections::BTreeMap;
use std::io;

/// How a call fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// With an error of this kind.
    Kind(io::ErrorKind),
    /// With this number of the operating system.
    Os(i32),
}

/// What a call that fails has done all the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Leaves {
    /// Nothing.
    Nothing,
    /// By this seed: a write its first bytes, any other change nothing or all of it. A sync of a file some of the bytes:
    /// the others are dropped. They are still read, and no later sync brings them to the disk.
    Part(u64),
    /// All of it.
    All,
}

impl From<io::ErrorKind> for Fault {
    fn from(kind: io::ErrorKind) -> Self {
        Fault::Kind(kind)
    }
}

impl From<i32> for Fault {
    fn from(code: i32) -> Self {
        Fault::Os(code)
    }
}

impl From<Fault> for io::Error {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Kind(kind) => kind.into(),
            Fault::Os(code) => io::Error::from_raw_os_error(code),
        }
    }
}

/// Numbers the calls and stops those that are to fail.
#[derive(Clone, Debug, Default)]
pub struct Gate {
    /// How many calls there have been.
    pub calls: u64,
    /// From which on all fail, and do nothing.
    pub cut: Option<u64>,
    /// Which fail, once each.
    pub failures: BTreeMap<u64, (Fault, Leaves)>,
    /// From which on all fail.
    pub lasting: Option<(u64, Fault, Leaves)>,
}

/// A call that fails: with what, and what it does before.
pub type Failed = (io::Error, Leaves);

impl Gate {
    /// Counts a call; an error if it must fail.
    pub fn pass(&mut self) -> Result<(), Failed> {
        let number = self.calls;
        self.calls += 1;
        if self.cut.is_some_and(|cut| number >= cut) {
            return Err((io::Error::other("cut"), Leaves::Nothing));
        }
        if let Some((fault, leaves)) = self.failures.remove(&number) {
            return Err((fault.into(), leaves));
        }
        match self.lasting {
            Some((from, fault, leaves)) if number >= from => Err((fault.into(), leaves)),
            _ => Ok(()),
        }
    }
}
