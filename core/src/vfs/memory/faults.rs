//! Which calls fail: every call that changes or syncs something passes here first.

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
    /// From which on all fail.
    pub cut: Option<u64>,
    /// Which fail, once each.
    pub failures: BTreeMap<u64, Fault>,
}

impl Gate {
    /// Counts a call; an error if it must not be carried out.
    pub fn pass(&mut self) -> io::Result<()> {
        let number = self.calls;
        self.calls += 1;
        if self.cut.is_some_and(|cut| number >= cut) {
            return Err(io::Error::other("cut"));
        }
        match self.failures.remove(&number) {
            Some(fault) => Err(fault.into()),
            None => Ok(()),
        }
    }
}
