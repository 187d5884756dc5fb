//! A record of a log read back: what `write/commit.rs` has written.

use std::path::Path;

use crate::base::coding::Decoder;
use crate::base::error::{Error, Result};
use crate::base::ids::{MAX_SEQUENCE, SequenceNumber};
use crate::batch::{Operation, Undecodable, decode_operation};

/// A whole commit whose operations can be read.
pub(super) struct Commit<'a> {
    pub first: SequenceNumber,
    pub count: u64,
    operations: Decoder<'a>,
}

impl<'a> Commit<'a> {
    /// Operations with their sequence numbers.
    pub fn operations(&self) -> impl Iterator<Item = (SequenceNumber, Operation<'a>)> + use<'a> {
        let mut decoder = self.operations;
        (self.first..self.first + self.count).map_while(move |sequence| {
            decode_operation(&mut decoder).ok().map(|operation| (sequence, operation))
        })
    }

    /// Of a record of the log at `path`. Errors: what was expected; `UnsupportedVersion`.
    pub fn decode(record: &'a [u8], path: &Path) -> Result<Result<Commit<'a>, &'static str>> {
        let mut decoder = Decoder::new(record);
        let (Some(first), Some(count)) = (decoder.varint(), decoder.varint()) else {
            return Ok(Err("sequence number and count of a commit"));
        };
        if first == 0 || first > MAX_SEQUENCE || count == 0 || count > MAX_SEQUENCE - first {
            return Ok(Err("sequence numbers within the limit"));
        }
        let operations = decoder;
        for _ in 0..count {
            match decode_operation(&mut decoder) {
                Ok(_) => {}
                Err(Undecodable::Damaged(what)) => return Ok(Err(what)),
                Err(Undecodable::UnknownKind(kind)) => {
                    return Err(Error::unsupported(path, format_args!("kind {kind} of a record")));
                }
            }
        }
        match decoder.is_empty() {
            true => Ok(Ok(Commit { first, count, operations })),
            false => Ok(Err("a commit record that ends with its operations")),
        }
    }
}
