//! Faults that are there on purpose in a test build, to see that the tests notice each of them. Without the feature
//! `planted` there are none, and asking for one costs nothing.

/// The faults; `docs/testing.md` says what each does. One is chosen by name, in the variable `LIGHTNING_PLANTED`.
macro_rules! plants {
    ($($name:ident,)*) => {
        /// A fault.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Plant { $($name,)* }

        #[cfg(feature = "planted")]
        const ALL: &[(&str, Plant)] = &[$((stringify!($name), Plant::$name),)*];
    };
}

plants! {
    BackupUnsynced,
    ChunkUnchecked,
    ConflictUnchecked,
    CurrentEarly,
    DropUnsynced,
    EditUnsynced,
    FolderUnsynced,
    HaltForgotten,
    IngestSequence,
    LogEarly,
    MarkLies,
    NumberReused,
    PageUnchecked,
    ParentUnsynced,
    RecoveredUnsynced,
    ScanEndsEarly,
    SealUnsynced,
    SequenceBack,
    SnapshotEarly,
    StaleHint,
    StaleRow,
    StrongUnsynced,
    SyncErrorSwallowed,
    SyncRetried,
    TableEarly,
    TableUnsynced,
    TailMended,
    TailUncut,
    TombstoneEarly,
}

/// Whether this fault is there.
#[cfg(not(feature = "planted"))]
#[inline(always)]
pub const fn planted(_: Plant) -> bool {
    false
}

/// Whether this fault is there.
#[cfg(feature = "planted")]
pub fn planted(plant: Plant) -> bool {
    static CHOSEN: std::sync::OnceLock<Option<Plant>> = std::sync::OnceLock::new();
    let chosen = CHOSEN.get_or_init(|| {
        let name = std::env::var("LIGHTNING_PLANTED").ok()?;
        ALL.iter().find(|(known, _)| *known == name).map(|(_, plant)| *plant)
    });
    *chosen == Some(plant)
}
