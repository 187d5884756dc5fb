//! Makes the checksums of a file right, whatever is in it: so that what is behind them is reached.

/// A file of a database, by what checks its bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Current,
    /// A manifest or a log: a header and chunks.
    Chunks,
    Table,
    Backup,
}

/// Bytes of a header, and of a footer.
const FRAME: usize = 64;

/// CRC-32 over database, file, place and bytes.
fn crc(place: [u64; 3], parts: &[&[u8]]) -> [u8; 4] {
    let mut hasher = crc32fast::Hasher::new();
    place.iter().for_each(|number| hasher.update(&number.to_le_bytes()));
    parts.iter().for_each(|part| hasher.update(part));
    hasher.finalize().to_le_bytes()
}

/// Of file `number` of database `id`. Every checked block that lies in the file gets its checksum; where one ends, its own
/// length says.
pub fn seal(kind: Kind, id: u64, number: u64, bytes: &mut [u8]) {
    match kind {
        Kind::Current => put(bytes, 8, |bytes| crc([0, 0, 0], &[&bytes[12..]]), 32),
        Kind::Backup => put(bytes, 8, |bytes| crc([0, 0, 0], &[&bytes[12..]]), 13),
        Kind::Chunks => {
            header(id, number, bytes);
            chunks(id, number, bytes);
        }
        Kind::Table => {
            header(id, number, bytes);
            pages(id, number, bytes);
        }
    }
}

/// Puts a checksum into a file of at least so many bytes.
fn put(bytes: &mut [u8], at: usize, of: impl Fn(&[u8]) -> [u8; 4], least: usize) {
    if bytes.len() >= least {
        let crc = of(bytes);
        bytes[at..at + 4].copy_from_slice(&crc);
    }
}

fn header(id: u64, number: u64, bytes: &mut [u8]) {
    put(bytes, 8, |bytes| crc([id, number, 0], &[&bytes[12..FRAME]]), FRAME);
}

fn length_at(bytes: &[u8], at: usize) -> usize {
    bytes[at..at + 4].try_into().map_or(0, |length| u32::from_le_bytes(length) as usize)
}

fn chunks(id: u64, number: u64, bytes: &mut [u8]) {
    let (mut at, mut before) = (FRAME, [0; 4]);
    while at + 20 <= bytes.len() && bytes[at + 8] != 0 {
        let end = at + 20 + length_at(bytes, at + 4);
        if end > bytes.len() {
            return;
        }
        let goes_on = matches!(bytes[at + 8], 3 | 4);
        let chain: &[u8] = if goes_on { &before } else { &[] };
        before = crc([id, number, at as u64], &[&bytes[at + 4..end], chain]);
        bytes[at..at + 4].copy_from_slice(&before);
        at = end;
    }
}

fn pages(id: u64, number: u64, bytes: &mut [u8]) {
    let Some(footer) = bytes.len().checked_sub(FRAME).filter(|footer| *footer >= FRAME) else { return };
    let mut at = FRAME;
    while at + 16 <= footer {
        let end = at + 16 + length_at(bytes, at + 4);
        if end > footer {
            break;
        }
        let sum = crc([id, number, at as u64], &[&bytes[at + 4..end]]);
        bytes[at..at + 4].copy_from_slice(&sum);
        at = end;
    }
    let sum = crc([id, number, footer as u64], &[&bytes[footer + 4..]]);
    bytes[footer..footer + 4].copy_from_slice(&sum);
}
