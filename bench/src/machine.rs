//! What the figures were taken on.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::Command;

use anyhow::Result;

fn line_of(file: &str, prefix: &str) -> Option<String> {
    let text = fs::read_to_string(file).ok()?;
    let line = text.lines().find(|line| line.starts_with(prefix))?;
    Some(line.split_once(':')?.1.trim().to_string())
}

fn output_of(program: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program).args(arguments).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?.trim().to_string();
    (output.status.success() && !text.is_empty()).then_some(text)
}

/// Processor, memory, system and the file system of `folder`, in one line.
pub fn describe(folder: &Path) -> String {
    let processor = line_of("/proc/cpuinfo", "model name").unwrap_or_else(|| "unknown processor".into());
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let memory =
        line_of("/proc/meminfo", "MemTotal").and_then(|text| text.split(' ').next()?.parse::<u64>().ok());
    let system = output_of("uname", &["-sr"]).unwrap_or_default();
    let files = output_of("stat", &["-f", "-c", "%T", &folder.to_string_lossy()]).unwrap_or_default();
    format!("{processor}, {cores} cores, {} GiB, {system}, {files}", memory.unwrap_or(0) >> 20)
}

/// The commit of the project, with a mark if files were changed since.
pub fn commit() -> String {
    output_of("git", &["describe", "--always", "--dirty", "--abbrev=10"]).unwrap_or_else(|| "unknown".into())
}

/// The time, UTC.
pub fn now() -> String {
    output_of("date", &["-u", "+%Y-%m-%d %H:%M"]).unwrap_or_default()
}

/// Bytes that the files of a folder take on the disk, holes not counted.
pub fn disk_bytes(folder: &Path) -> Result<u64> {
    let mut bytes = 0;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let metadata = entry.metadata()?;
        bytes += if metadata.is_dir() { disk_bytes(&entry.path())? } else { metadata.blocks() * 512 };
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_of_a_folder_are_those_of_its_files() {
        let folder = tempfile::tempdir().expect("a folder");
        fs::create_dir(folder.path().join("inner")).expect("a folder");
        fs::write(folder.path().join("inner/file"), vec![1; 100_000]).expect("a file");
        let bytes = disk_bytes(folder.path()).expect("bytes");
        assert!((100_000..200_000).contains(&bytes), "{bytes}");
        assert!(describe(folder.path()).contains("cores"));
    }
}
