//! Tables of every codec, with right checksums; the first byte says which of them. A file that is too long or too short is
//! cut or filled up, for the manifest's size of it would tell at once.
#![no_main]

#[path = "common.rs"]
mod common;
#[path = "../../core/tests/hostile/drive.rs"]
mod drive;
#[path = "../../core/tests/hostile/seal.rs"]
mod seal;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let targets = drive::shared();
    let tables: Vec<_> = targets.iter().filter(|target| target.kind == seal::Kind::Table).collect();
    if let Some((first, rest)) = bytes.split_first()
        && let Some(table) = tables.get(usize::from(*first) % tables.len().max(1))
    {
        let mut file = rest.to_vec();
        file.resize(table.bytes.len(), 0);
        table.drive(&file, common::is_thorough(bytes));
    }
});
