//! The numbered records of a stream.

use lightning_db_examples::Random;

/// Streams 0 and 1 belong to a thread each, stream 2 to the transactions of both.
pub const STREAMS: usize = 3;
/// The stream of the transactions.
pub const SHARED: usize = 2;
/// Holds the last number of the shared stream.
pub const COUNTER: &[u8] = b"counter";

const WORDS: usize = 2 + STREAMS;

/// What a record says of itself, in front of its filler.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Header {
    /// First number of its batch or transaction.
    pub first: u64,
    /// Last number of its batch or transaction.
    pub last: u64,
    /// The last acknowledged number of each stream before it was sent.
    pub seen: [u64; STREAMS],
}

/// Key prefix of a stream.
pub fn prefix(stream: usize) -> Vec<u8> {
    format!("stream {stream}/").into_bytes()
}

/// Key of a record.
pub fn key(stream: usize, number: u64) -> Vec<u8> {
    format!("stream {stream}/{number:012}").into_bytes()
}

/// The number in a key.
pub fn number_of(key: &[u8]) -> Option<u64> {
    std::str::from_utf8(key).ok()?.rsplit('/').next()?.parse().ok()
}

/// Value of a record.
pub fn value(stream: usize, number: u64, header: &Header) -> Vec<u8> {
    let mut value = Vec::new();
    for word in [header.first, header.last].iter().chain(&header.seen) {
        value.extend_from_slice(&word.to_le_bytes());
    }
    value.extend_from_slice(&filler(stream, number));
    value
}

/// The header of a value; `None` if the value is not one of this record.
pub fn decode(stream: usize, number: u64, value: &[u8]) -> Option<Header> {
    let (words, rest) = value.split_at_checked(8 * WORDS)?;
    if rest != filler(stream, number) {
        return None;
    }
    let mut words = words.chunks_exact(8).map(|word| word.try_into().map(u64::from_le_bytes));
    let mut word = || words.next()?.ok();
    Some(Header { first: word()?, last: word()?, seen: [word()?, word()?, word()?] })
}

/// Bytes that a record's place determines; mostly short, one in a hundred long.
fn filler(stream: usize, number: u64) -> Vec<u8> {
    let mut random = Random::new((stream as u64) << 56 | number);
    let len = if random.below(100) == 0 { random.below(8 << 10) } else { random.below(100) };
    let mut filler = vec![0; len];
    random.fill(&mut filler);
    filler
}

#[test]
fn records_come_back() {
    let header = Header { first: 6, last: 8, seen: [1, 2, 3] };
    let bytes = value(1, 7, &header);
    assert_eq!(decode(1, 7, &bytes), Some(header));
    assert_eq!(decode(1, 8, &bytes), None);
    assert_eq!(decode(1, 7, &bytes[..20]), None);
    assert_eq!(number_of(&key(1, 7)), Some(7));
}
