//! RocksDB.

use std::cell::RefCell;
use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result};
use rocksdb::{
    BlockBasedOptions, Cache, ColumnFamilyDescriptor, DBCompressionType, DEFAULT_COLUMN_FAMILY_NAME,
    IngestExternalFileOptions, OptimisticTransactionDB, OptimisticTransactionOptions, Options, SstFileWriter,
    WaitForCompactOptions, WriteBatchWithTransaction, WriteOptions,
};

use crate::data::{Key, Value};
use crate::engine::{About, Change, Digest, Direction, Engine, Level, Session, Setup, View};

pub const ABOUT: About = About {
    name: "rocksdb",
    title: "RocksDB",
    version: "rocksdb 0.25.0 (RocksDB 11.8.1)",
    settings: "HyperClockCache of the cache size, Bloom filters of 10 bits, LZ4, 2 background jobs, optimistic transactions, else the defaults; not synced: `sync = false`, durable: `sync = true`; sorted load: external tables, moved in",
    lsm: true,
    weaker: None,
};

/// Bytes of an external table of a sorted load.
const EXTERNAL_TABLE_BYTES: u64 = 64 << 20;

struct Rocks {
    db: OptimisticTransactionDB,
    options: Options,
    path: PathBuf,
    level: Level,
}

fn options(cache: usize) -> Options {
    let mut tables = BlockBasedOptions::default();
    tables.set_block_cache(&Cache::new_hyper_clock_cache(cache, 0));
    tables.set_bloom_filter(10.0, false);
    let mut options = Options::default();
    options.create_if_missing(true);
    options.set_block_based_table_factory(&tables);
    options.set_compression_type(DBCompressionType::Lz4);
    options
}

pub fn open(path: &Path, setup: &Setup) -> Result<Box<dyn Engine>> {
    let options = options(setup.cache);
    let families = [ColumnFamilyDescriptor::new(DEFAULT_COLUMN_FAMILY_NAME, options.clone())];
    let db = OptimisticTransactionDB::open_cf_descriptors(&options, path, families)?;
    Ok(Box::new(Rocks { db, options, path: path.to_path_buf(), level: setup.level }))
}

impl Engine for Rocks {
    fn session(&self, _view: View) -> Result<Box<dyn Session + '_>> {
        let mut write = WriteOptions::default();
        write.set_sync(self.level == Level::Power);
        Ok(Box::new(RocksSession { db: &self.db, write }))
    }

    fn settle(&self) -> Result<Duration> {
        self.db.flush()?;
        self.db.wait_for_compact(&WaitForCompactOptions::default())?;
        Ok(Duration::ZERO)
    }

    fn ingest(&self, entries: &mut dyn Iterator<Item = (Key, Value)>) -> Result<()> {
        let folder = self.path.with_extension("external");
        std::fs::create_dir_all(&folder)?;
        let mut files = Vec::new();
        let mut entries = entries.peekable();
        while entries.peek().is_some() {
            let file = folder.join(format!("{}.sst", files.len()));
            let mut writer = SstFileWriter::create(&self.options);
            writer.open(&file)?;
            let mut bytes = 0;
            for (key, value) in entries.by_ref() {
                writer.put(key, value)?;
                bytes += (key.len() + value.len()) as u64;
                if bytes >= EXTERNAL_TABLE_BYTES {
                    break;
                }
            }
            writer.finish()?;
            files.push(file);
        }
        let mut moved = IngestExternalFileOptions::default();
        moved.set_move_files(true);
        self.db.ingest_external_file_opts(&moved, files)?;
        std::fs::remove_dir_all(&folder)?;
        Ok(())
    }

    fn close(self: Box<Self>) -> Result<()> {
        // Data in the log only is replayed at the next open.
        Ok(self.db.flush_wal(true)?)
    }
}

struct RocksSession<'e> {
    db: &'e OptimisticTransactionDB,
    write: WriteOptions,
}

impl Session for RocksSession<'_> {
    fn get(&mut self, key: &Key, digest: &mut Digest) -> Result<()> {
        digest.answer(black_box(self.db.get(key)?));
        Ok(())
    }

    fn get_with(&mut self, key: &Key, digest: &mut Digest) -> Result<()> {
        digest.answer(self.db.get_pinned(key)?);
        Ok(())
    }

    fn get_many(&mut self, keys: &[Key], digest: &mut Digest) -> Result<()> {
        let family = self.db.cf_handle(DEFAULT_COLUMN_FAMILY_NAME).context("every database has it")?;
        for answer in self.db.batched_multi_get_cf(family, keys, false) {
            digest.answer(black_box(answer?.map(|value| value.to_vec())));
        }
        Ok(())
    }

    fn scan(
        &mut self,
        from: Option<&Key>,
        direction: Direction,
        limit: usize,
        digest: &mut Digest,
    ) -> Result<()> {
        let mut entries = self.db.raw_iterator();
        match (from, direction) {
            (None, Direction::Forward) => entries.seek_to_first(),
            (None, Direction::Backward) => entries.seek_to_last(),
            (Some(key), Direction::Forward) => entries.seek(key),
            (Some(key), Direction::Backward) => entries.seek_for_prev(key),
        }
        for _ in 0..limit {
            let Some((key, value)) = entries.item() else { break };
            digest.entry(key, value);
            match direction {
                Direction::Forward => entries.next(),
                Direction::Backward => entries.prev(),
            }
        }
        Ok(entries.status()?)
    }

    fn put(&mut self, key: &Key, value: &Value) -> Result<()> {
        Ok(self.db.put_opt(key, value, &self.write)?)
    }

    fn write(&mut self, changes: &[Change]) -> Result<()> {
        let mut batch = WriteBatchWithTransaction::<true>::default();
        for (key, value) in changes {
            match value {
                Some(value) => batch.put(key, value),
                None => batch.delete(key),
            }
        }
        Ok(self.db.write_opt(batch, &self.write)?)
    }

    fn transaction(
        &mut self,
        reads: &[Key; 2],
        writes: &[(Key, Value); 2],
        digest: &mut Digest,
    ) -> Result<()> {
        thread_local! {
            static OPTIONS: RefCell<OptimisticTransactionOptions> = RefCell::new({
                let mut options = OptimisticTransactionOptions::default();
                options.set_snapshot(true);
                options
            });
        }
        let tx = OPTIONS.with_borrow(|options| self.db.transaction_opt(&self.write, options));
        for key in reads {
            digest.answer(black_box(tx.get_for_update(key, false)?));
        }
        for (key, value) in writes {
            tx.put(key, value)?;
        }
        Ok(tx.commit()?)
    }
}
