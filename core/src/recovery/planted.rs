//! A fault of a test build (`base/planted.rs`) that takes some lines.

use std::io;
use std::path::Path;

use crate::base::checksum::Checksum;
use crate::base::filename::FileKind;
use crate::base::ids::FileNumber;
use crate::vfs::{OpenMode, Vfs};

/// Gives the torn chunk at the end of a log a right checksum.
pub(super) fn mend_tail(vfs: &dyn Vfs, folder: &Path, database_id: u64, number: FileNumber, end: u64) {
    let mend = || -> io::Result<()> {
        let file = vfs.open(&folder.join(FileKind::Log.name(number)), OpenMode::ReadWrite)?;
        let mut header = [0; 20];
        file.read_at(&mut header, end)?;
        let [_, _, _, _, len @ .., _, _, _, _, _, _, _, _, _, _, _, _] = header;
        let mut chunk = vec![0; 20 + u32::from_le_bytes(len) as usize % (1 << 20)];
        file.read_at(&mut chunk, end)?;
        let crc = Checksum::new(database_id, number).of(end, &[&chunk[4..]]);
        file.write_at(&crc.to_le_bytes(), end)?;
        file.sync_data()
    };
    let _ = mend();
}
