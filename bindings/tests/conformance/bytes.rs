//! The forms of bytes.

use serde::Deserialize;

#[derive(Clone, Deserialize)]
#[serde(untagged)]
pub enum Bytes {
    Text(String),
    Hex(Hex),
    Repeat(Repeat),
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hex {
    hex: String,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Repeat {
    repeat: String,
    times: usize,
}

impl Bytes {
    pub fn get(&self) -> Vec<u8> {
        match self {
            Bytes::Text(text) => text.clone().into_bytes(),
            Bytes::Repeat(Repeat { repeat, times }) => repeat.repeat(*times).into_bytes(),
            Bytes::Hex(Hex { hex }) => {
                assert!(hex.len() % 2 == 0, "odd number of digits: {hex}");
                let byte = |at| u8::from_str_radix(&hex[at..at + 2], 16).expect("two digits");
                (0..hex.len()).step_by(2).map(byte).collect()
            }
        }
    }
}

/// A name, in the forms of bytes.
#[derive(Clone, Deserialize)]
#[serde(transparent)]
pub struct Name(Bytes);

impl Name {
    pub fn get(&self) -> String {
        String::from_utf8(self.0.get()).expect("a name in UTF-8")
    }
}
