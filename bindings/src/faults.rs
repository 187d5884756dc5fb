//! Simulated disks by name, for tests that see a face meet failing calls, full disks and power cuts.
//!
//! The option [`OPTION`] opens a database on one; [`command`] steers it. Both are in builds with the feature `faults`
//! only, which no package has.

use std::collections::BTreeMap;
use std::str::{FromStr, SplitWhitespace};

use lightning_db::vfs::{Keep, Leaves, MemoryVfs, Tear};
use lightning_db::{Error, OptionValue, Result};
use parking_lot::Mutex;

/// The option that names the disk of a database.
pub const OPTION: &str = "test_disk";

/// What the operating system says of a disk that cannot be read: EIO.
const IO: i32 = 5;

static DISKS: Mutex<BTreeMap<String, MemoryVfs>> = Mutex::new(BTreeMap::new());

/// The disk that the option names. Errors: `InvalidArgument`.
pub(crate) fn disk_of(value: OptionValue<'_>) -> Result<MemoryVfs> {
    match value {
        OptionValue::Text(name) => disk(name),
        other => Err(Error::invalid(format!("option {OPTION} takes the name of a disk, not {other}"))),
    }
}

fn disk(name: &str) -> Result<MemoryVfs> {
    let found = DISKS.lock().get(name).cloned();
    found.ok_or_else(|| Error::invalid(format!("there is no disk {name:?}")))
}

/// Steers the disk of a name:
///
/// | command | what it does |
/// |---|---|
/// | `new SEED` | makes it, empty, in place of one of this name |
/// | `drop` | forgets the name; who has the disk keeps it |
/// | `calls`, `reads` | nothing: gives how many changing, or reading, calls there were |
/// | `fail AHEAD ERRNO`, `fail-from AHEAD ERRNO` | the changing call behind the next AHEAD ones fails, or each from it on; it does nothing |
/// | `fail-read AHEAD ERRNO`, `fail-reads-from AHEAD ERRNO` | the same of reading calls |
/// | `room BYTES` | no more than so many bytes fit |
/// | `heal` | nothing fails any more, and there is room |
/// | `crash KEEP [SEED]` | what a crash leaves ([`Keep`]: `all`, `evicted`, `durable`, `names`, `sizes`, `prefix`, `hole`, `torn`, `any`) gets the name; whoever has the disk open has lost it: all its calls fail |
///
/// Gives the number that was asked for, else 0. Errors: `InvalidArgument`.
pub fn command(name: &str, command: &str) -> Result<u64> {
    let mut words = Words { command, rest: command.split_whitespace() };
    match words.text()? {
        "new" => {
            let made = MemoryVfs::with_seed(words.last()?);
            DISKS.lock().insert(name.to_owned(), made);
        }
        "drop" => {
            words.end()?;
            DISKS.lock().remove(name);
        }
        "crash" => {
            let keep = words.keep()?;
            crash(name, keep)?;
        }
        verb => return steer(&disk(name)?, verb, words),
    }
    Ok(0)
}

fn steer(disk: &MemoryVfs, verb: &str, mut words: Words<'_>) -> Result<u64> {
    match verb {
        "calls" => return words.end().map(|()| disk.calls()),
        "reads" => return words.end().map(|()| disk.reads()),
        "fail" => disk.fail_call(words.ahead(disk.calls())?, words.last::<i32>()?),
        "fail-from" => disk.fail_from(words.ahead(disk.calls())?, words.last::<i32>()?, Leaves::Nothing),
        "fail-read" => disk.fail_read(words.ahead(disk.reads())?, words.last::<i32>()?),
        "fail-reads-from" => disk.fail_reads_from(words.ahead(disk.reads())?, words.last::<i32>()?),
        "room" => disk.set_room(words.last()?),
        "heal" => {
            words.end()?;
            disk.mend();
        }
        _ => return Err(words.wrong()),
    }
    Ok(0)
}

/// The power is cut: the old disk fails from here on, so that what it still gets is not a part of the new one.
fn crash(name: &str, keep: Keep) -> Result<()> {
    let mut disks = DISKS.lock();
    let disk = disks.get_mut(name).ok_or_else(|| Error::invalid(format!("there is no disk {name:?}")))?;
    disk.cut_at(0);
    disk.fail_reads_from(0, IO);
    *disk = disk.crash(keep);
    Ok(())
}

/// The words of a command.
struct Words<'a> {
    command: &'a str,
    rest: SplitWhitespace<'a>,
}

impl<'a> Words<'a> {
    fn wrong(&self) -> Error {
        Error::invalid(format!("{:?} is no command of a disk", self.command))
    }

    fn text(&mut self) -> Result<&'a str> {
        self.rest.next().ok_or_else(|| self.wrong())
    }

    fn number<T: FromStr>(&mut self) -> Result<T> {
        self.text()?.parse().map_err(|_| self.wrong())
    }

    fn end(&mut self) -> Result<()> {
        self.rest.next().map_or(Ok(()), |_| Err(self.wrong()))
    }

    /// A number with nothing behind it.
    fn last<T: FromStr>(&mut self) -> Result<T> {
        let number = self.number()?;
        self.end().map(|()| number)
    }

    /// The number of a call so many calls ahead.
    fn ahead(&mut self, calls: u64) -> Result<u64> {
        Ok(calls.saturating_add(self.number()?))
    }

    fn keep(&mut self) -> Result<Keep> {
        let keep = match self.text()? {
            "all" => Keep::All,
            "evicted" => Keep::Evicted,
            "durable" => Keep::Durable,
            "names" => Keep::Names,
            "sizes" => Keep::Sizes,
            "prefix" => Keep::Prefix(self.number()?),
            "hole" => Keep::Hole(self.number()?),
            "torn" => Keep::Torn(Tear::Byte, self.number()?),
            "any" => Keep::Any(self.number()?),
            _ => return Err(self.wrong()),
        };
        self.end().map(|()| keep)
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use lightning_db::{ConsistencyLevel, Database, ErrorKind};

    use super::*;
    use crate::{Opening, check};

    fn opening(name: &str) -> Opening {
        let mut opening = Opening::new();
        opening.set(OPTION, OptionValue::Text(name)).unwrap();
        opening
    }

    fn open(name: &str) -> Result<Database> {
        opening(name).open(Path::new("/db"))
    }

    #[test]
    fn what_is_no_command_is_refused_and_does_nothing() {
        command("words", "new 1").unwrap();
        let wrong = [
            "",
            "new",
            "new 1 2",
            "new x",
            "drop now",
            "calls 1",
            "reads 1",
            "fail",
            "fail 1",
            "fail 1 x",
            "fail 1 5 5",
            "fail -1 5",
            "fail-from 1",
            "fail-read 5",
            "fail-reads-from x 5",
            "room",
            "room -1",
            "heal all",
            "crash",
            "crash most",
            "crash any",
            "crash all 1",
            "explode",
        ];
        for text in wrong {
            assert_eq!(command("words", text).unwrap_err().kind(), ErrorKind::InvalidArgument, "{text:?}");
        }
        for text in ["calls", "heal", "crash all"] {
            assert_eq!(command("nowhere", text).unwrap_err().kind(), ErrorKind::InvalidArgument);
        }
        let mut opening = Opening::new();
        for value in [OptionValue::Text("nowhere"), OptionValue::Integer(1)] {
            assert_eq!(opening.set(OPTION, value).unwrap_err().kind(), ErrorKind::InvalidArgument);
        }
        open("words").unwrap().close().unwrap();
        command("words", "drop").unwrap();
        assert!(disk("words").is_err());
    }

    #[test]
    fn a_disk_fails_as_it_is_told() {
        command("told", "new 7").unwrap();
        let db = open("told").unwrap();
        assert!(!Path::new("/db").exists());
        db.put("a", "1").unwrap();
        db.flush().unwrap();
        let calls = command("told", "calls").unwrap();
        assert!(calls > 0);
        command("told", "room 0").unwrap();
        assert_eq!(db.put("b", "2").unwrap_err().kind(), ErrorKind::NoSpace);
        command("told", "heal").unwrap();
        db.put("b", "2").unwrap();
        assert!(command("told", "calls").unwrap() > calls);

        db.clear_cache().unwrap();
        let reads = command("told", "reads").unwrap();
        command("told", "fail-read 0 5").unwrap();
        assert_eq!(db.get("a").unwrap_err().kind(), ErrorKind::Io);
        assert!(db.get("a").unwrap().is_some());
        db.clear_cache().unwrap();
        command("told", "fail-reads-from 0 5").unwrap();
        (0..2).for_each(|_| assert_eq!(db.get("a").unwrap_err().kind(), ErrorKind::Io));
        command("told", "heal").unwrap();
        assert!(db.get("a").unwrap().is_some());
        assert!(command("told", "reads").unwrap() > reads);

        command("told", "fail 1000 5").unwrap();
        command("told", "fail-from 1000 5").unwrap();
        command("told", "heal").unwrap();
        (0..1000).for_each(|_| db.put("c", "3").unwrap());
        command("told", "fail 0 5").unwrap();
        assert_eq!(db.put("d", "4").unwrap_err().kind(), ErrorKind::Io);
        assert_eq!(db.close().unwrap_err().kind(), ErrorKind::Halted);
        assert!(check(Path::new("/db"), opening("told"), |_| {}).unwrap().is_ok());
        command("told", "drop").unwrap();
    }

    #[test]
    fn a_crash_leaves_what_was_synced_and_ends_the_old_disk() {
        for (crash, found) in [("crash all", true), ("crash durable", false)] {
            command("cut", "new 0").unwrap();
            let old = open("cut").unwrap();
            old.put("a", "1").unwrap();
            old.put_with_consistency("b", "2", ConsistencyLevel::Quorum).unwrap();
            command("cut", crash).unwrap();
            let new = open("cut").unwrap();
            assert_eq!(new.get("a").unwrap().as_deref(), Some(&b"1"[..]));
            assert_eq!(new.get("b").unwrap().is_some(), found, "{crash}");
            assert!(old.put("c", "3").is_err() && old.flush().is_err() && old.close().is_err());
            new.put("c", "3").unwrap();
        }
        command("cut", "drop").unwrap();
    }
}
