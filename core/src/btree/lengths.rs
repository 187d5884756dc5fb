//! The ends of a page's cells, stored as the lengths of the cells if the page is compressed: lengths are much alike
//! and nearly vanish, ends never are. A flag tells it of the page, for there are tables from before.

use std::ops::Range;

use crate::base::coding::Decoder;
use crate::btree::format::{END_LEN, FLAG_EQUAL, FLAG_LENGTHS, HEAD_LEN, NODE_HEADER_LEN, PageKind};

/// Replaces the ends in a raw page by lengths.
pub(super) fn put_lengths(kind: PageKind, page: &mut [u8]) {
    let Some((flags, ends)) = ends(kind, page).filter(|(flags, _)| flags & FLAG_LENGTHS == 0) else { return };
    let mut before = 0;
    for place in places(page, ends) {
        let end = u32::from_le_bytes(*place);
        *place = end.wrapping_sub(before).to_le_bytes();
        before = end;
    }
    set_flags(page, flags | FLAG_LENGTHS);
}

/// Takes [`put_lengths`] back. Of what never was a page it makes anything, in its bounds; the page is judged later.
pub(super) fn put_ends(kind: PageKind, page: &mut [u8]) {
    let Some((flags, ends)) = ends(kind, page).filter(|(flags, _)| flags & FLAG_LENGTHS != 0) else { return };
    let mut end = 0u32;
    for place in places(page, ends) {
        end = end.wrapping_add(u32::from_le_bytes(*place));
        *place = end.to_le_bytes();
    }
    set_flags(page, flags & !FLAG_LENGTHS);
}

/// The flags of a page, and where its ends are. `None` if it has none, or its header does not fit it.
fn ends(kind: PageKind, page: &[u8]) -> Option<(u32, Range<usize>)> {
    if !matches!(kind, PageKind::Leaf | PageKind::Inner) {
        return None;
    }
    let mut header = Decoder::new(page);
    let (count, prefix_len, flags) = (header.u32()? as usize, header.u32()? as usize, header.u32()?);
    let heads = NODE_HEADER_LEN.checked_add(prefix_len)?;
    let ends = heads.checked_add(count.checked_mul(HEAD_LEN)?)?;
    let cells = ends.checked_add(count.checked_mul(END_LEN)?)?;
    (cells <= page.len() && flags & FLAG_EQUAL == 0).then_some((flags, ends..cells))
}

fn places(page: &mut [u8], ends: Range<usize>) -> &mut [[u8; END_LEN]] {
    page.get_mut(ends).unwrap_or_default().as_chunks_mut().0
}

fn set_flags(page: &mut [u8], flags: u32) {
    if let Some(place) = page.get_mut(NODE_HEADER_LEN - size_of::<u32>()..NODE_HEADER_LEN) {
        place.copy_from_slice(&flags.to_le_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Two cells of 3 and 260 bytes behind a prefix of one byte.
    fn page() -> Vec<u8> {
        let mut page = Vec::new();
        for field in [2u32, 1, 2] {
            page.extend_from_slice(&field.to_le_bytes());
        }
        page.extend_from_slice(b"p");
        page.extend_from_slice(&[7; 2 * HEAD_LEN]);
        for end in [3u32, 263] {
            page.extend_from_slice(&end.to_le_bytes());
        }
        page.resize(page.len() + 263, 9);
        page
    }

    #[test]
    fn a_page_of_ends_is_left_alone() {
        let mut stored = page();
        put_ends(PageKind::Leaf, &mut stored);
        assert_eq!(stored, page());
    }

    #[test]
    fn only_the_ends_and_their_flag_change() {
        for (kind, second) in [(PageKind::Leaf, 260), (PageKind::Inner, 260), (PageKind::Filter, 263u32)] {
            let mut stored = page();
            put_lengths(kind, &mut stored);
            let mut expected = page();
            expected[33..37].copy_from_slice(&second.to_le_bytes());
            expected[8] |= if kind == PageKind::Filter { 0 } else { FLAG_LENGTHS as u8 };
            assert_eq!(stored, expected);
            put_ends(kind, &mut stored);
            assert_eq!(stored, page());
        }
    }

    proptest! {
        #[test]
        fn any_bytes_come_back(
            count in prop_oneof![0u32..40, any::<u32>()],
            prefix_len in prop_oneof![0u32..10, any::<u32>()],
            rest in proptest::collection::vec(any::<u8>(), 0..600),
            cut in 0usize..700,
        ) {
            let mut page = [&count.to_le_bytes()[..], &prefix_len.to_le_bytes(), &rest].concat();
            page.truncate(cut);
            for kind in [PageKind::Leaf, PageKind::Inner, PageKind::Properties, PageKind::Filter] {
                // Neither fails on any bytes, and what is no page of lengths stays as it is.
                let mut stored = page.clone();
                put_ends(kind, &mut stored);
                let ends = stored.clone();
                put_lengths(kind, &mut stored);
                put_ends(kind, &mut stored);
                prop_assert_eq!(&stored, &ends);
            }
        }
    }
}
