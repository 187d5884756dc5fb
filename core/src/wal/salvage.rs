//! Reading a damaged log: past its header, and behind bytes that are no chunk. What counts as a chunk, and
//! what as a torn tail, is judged as in any other reading.

use std::path::PathBuf;

use crate::base::error::{Error, Result};
use crate::base::filename::FileKind;
use crate::base::header::FileHeader;
use crate::base::ids::FileNumber;
use crate::vfs::{OpenMode, Vfs};
use crate::wal::reader::{LogReader, SEARCH_BYTES, Tail};
use crate::wal::search::{Rest, search};
use crate::wal::window::Window;

impl LogReader {
    /// Opens the file at `path`, which is to be file `number` of the database, without judging its header; a
    /// file that is shorter than `known_end` is damaged at its end.
    pub fn open_damaged(
        vfs: &dyn Vfs,
        path: PathBuf,
        kind: FileKind,
        database_id: u64,
        number: FileNumber,
        known_end: Option<u64>,
    ) -> Result<LogReader> {
        let file = vfs.open(&path, OpenMode::Read).map_err(|error| Error::io("open", &path, error))?;
        let len = file.len().map_err(|error| Error::io("read the length of", &path, error))?;
        let known_end = known_end.map(|end| end.min(len));
        let header = FileHeader { kind, database_id, number, first_sequence: 0, previous_log: 0 };
        Ok(Self::over(Window::new(file, path, known_end.unwrap_or(len)), header, known_end))
    }

    /// Behind an error of [`LogReader::next`]: goes on at the next place where a chunk verifies alone, and
    /// returns it. `None` if there is none: then the log has ended.
    pub fn skip_damage(&mut self) -> Result<Option<u64>> {
        let limit = self.window.limit();
        let budget = limit.saturating_mul(16).saturating_add(SEARCH_BYTES);
        // Every chunk says that its file's header at least is durable.
        let rest = search(&mut self.window, &self.sums, self.end + 1, 0, budget)?;
        match rest {
            Rest::Proof { at, .. } => {
                self.end = at;
                Ok(Some(at))
            }
            Rest::Tail { .. } | Rest::GivenUp => {
                self.tail = Some(Tail { end: self.end, dropped: limit.saturating_sub(self.end) });
                Ok(None)
            }
        }
    }
}
