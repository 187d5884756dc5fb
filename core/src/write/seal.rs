//! Sealing: the memtables and their log are closed, new ones take the writes.

use crate::base::error::Result;
use crate::base::filename::FileKind;
use crate::base::header::FileHeader;
use crate::base::ids::SequenceNumber;
use crate::base::planted::{Plant, planted};
use crate::manifest::Edit;
use crate::sync::Signal;
use crate::vfs::sync_folder;
use crate::wal::LogWriter;
use crate::write::commit::{Section, Writer};

impl Writer {
    /// Seals what has been written, if anything, so that it gets flushed; returns the newest sequence
    /// number sealed. Blocks for two or three syncs.
    pub fn seal(&self) -> Result<SequenceNumber> {
        let mut section = self.lock();
        // Asked inside: a close may have ended the log while this waited.
        self.health.check_write()?;
        self.seal_in(&mut section)?;
        Ok(section.last_sequence)
    }

    /// Seals records older than the checkpoint interval.
    pub fn seal_if_old(&self) -> Result<()> {
        let mut section = self.lock();
        let now = self.catalogue.tables().vfs.monotonic();
        let old = now.saturating_sub(section.active_since) >= self.options.checkpoint_interval;
        if section.active.is_empty() || !old {
            return Ok(());
        }
        self.health.check_write()?;
        self.seal_in(&mut section)
    }

    /// The old log is synced before the new one takes a write, so that what survives a power cut is a
    /// prefix of the commits.
    pub(super) fn seal_in(&self, section: &mut Section) -> Result<()> {
        if section.active.is_empty() {
            return Ok(());
        }
        self.end_log(section)?;
        let log = self.new_log(section, section.last_sequence + 1)?;
        let active = self.catalogue.new_memset(log.number());
        let edit = Edit {
            logs_ended: vec![(section.log.number(), section.log.end())],
            logs_added: vec![log.number()],
            ..Edit::default()
        };
        let next = std::sync::Arc::clone(&active);
        self.catalogue
            .apply(edit, move |view, version| view.with_version(version, None).sealed_with(next))?;
        self.sync.replaced(&log);
        section.log = log;
        section.active = active;
        self.flush.notify();
        Ok(())
    }

    /// Everything written and synced, and nothing to spare.
    fn end_log(&self, section: &mut Section) -> Result<()> {
        self.write_log(section)?;
        if !planted(Plant::SealUnsynced) {
            self.sync_log(section)?;
        }
        section.log.give_back();
        Ok(())
    }

    /// All of the log on stable storage.
    pub(super) fn sync_log(&self, section: &Section) -> Result<()> {
        self.sync.wait_inside(self.sync.position(&section.log), &self.health)
    }

    /// Told when much of the log is written but not synced.
    pub fn ahead(&self) -> &Signal {
        self.sync.ahead()
    }

    /// Syncs the log although nobody waits for it.
    pub fn sync_ahead(&self) -> Result<()> {
        self.sync.sync_ahead(&self.health)
    }

    pub(super) fn new_log(&self, section: &Section, first_sequence: SequenceNumber) -> Result<LogWriter> {
        let tables = self.catalogue.tables();
        let header = FileHeader {
            kind: FileKind::Log,
            database_id: tables.database_id,
            number: self.catalogue.new_file_number(),
            first_sequence,
            previous_log: section.log.number(),
        };
        let log = LogWriter::create(&*tables.vfs, &tables.folder, header)?;
        sync_folder(&*tables.vfs, &tables.folder).inspect_err(|_| {
            // The manifest does not name the file; the next open removes what stays.
            let _ = tables.vfs.remove(log.path());
        })?;
        Ok(log)
    }

    /// The last seal of a database that is being closed.
    pub fn seal_closed(&self) -> Result<()> {
        self.seal_in(&mut self.lock())
    }

    /// Ends the log for good: everything written, synced, and noted in the manifest as a clean close, unless the
    /// last one still holds.
    pub fn finish(&self) -> Result<()> {
        let mut section = self.lock();
        self.end_log(&mut section)?;
        if self.catalogue.is_unchanged() {
            return Ok(());
        }
        let edit = Edit {
            logs_ended: vec![(section.log.number(), section.log.end())],
            clean_close: true,
            ..Edit::default()
        };
        self.catalogue.apply(edit, |view, version| view.with_version(version, None))
    }

    /// Bytes of the current log.
    pub fn log_bytes(&self) -> u64 {
        self.lock().log.end()
    }
}
