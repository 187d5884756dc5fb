//! What steps do to files.

use std::fs::OpenOptions;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// Changes one byte in place, so that whoever has the file open sees it. The last part of the path may be `*`
/// with an ending, for the one file that has it.
pub fn damage(path: &Path, offset: i64, xor: u8) -> Result<(), String> {
    let path = the_one(path)?;
    let at = match u64::try_from(offset) {
        Ok(offset) => SeekFrom::Start(offset),
        Err(_) => SeekFrom::End(offset),
    };
    let change = || -> io::Result<()> {
        let mut file = OpenOptions::new().read(true).write(true).open(&path)?;
        let start = file.seek(at)?;
        let mut byte = [0];
        file.read_exact(&mut byte)?;
        file.seek(SeekFrom::Start(start))?;
        file.write_all(&[byte[0] ^ xor])
    };
    match xor {
        0 => Err("xor with 0 changes nothing".to_owned()),
        _ => change().map_err(|error| format!("{} at {offset}: {error}", path.display())),
    }
}

fn the_one(path: &Path) -> Result<PathBuf, String> {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let Some(ending) = name.strip_prefix('*') else { return Ok(path.to_owned()) };
    let folder = path.parent().ok_or("no folder")?;
    let entries = std::fs::read_dir(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
    let mut found: Vec<_> = paths.filter(|path| path.to_string_lossy().ends_with(ending)).collect();
    match (found.pop(), found.is_empty()) {
        (Some(path), true) => Ok(path),
        (None, _) => Err(format!("no {name} in {}", folder.display())),
        (Some(_), false) => Err(format!("more than one {name} in {}", folder.display())),
    }
}
