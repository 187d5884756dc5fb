//! Something for each keyspace, found by its id.

use crate::base::ids::KeyspaceId;

/// One item for each keyspace, in the order of their ids. Found at once while no keyspace has been dropped,
/// in logarithmic time otherwise.
#[derive(Clone, Debug)]
pub struct PerKeyspace<T> {
    items: Vec<(KeyspaceId, T)>,
}

impl<T> Default for PerKeyspace<T> {
    fn default() -> Self {
        PerKeyspace { items: Vec::new() }
    }
}

impl<T> PerKeyspace<T> {
    /// The item of a keyspace.
    #[inline]
    pub fn get(&self, id: KeyspaceId) -> Option<&T> {
        match self.items.get(id.0 as usize) {
            Some((found, item)) if *found == id => Some(item),
            _ => self.place(id).ok().and_then(|at| self.items.get(at)).map(|(_, item)| item),
        }
    }

    /// The item of a keyspace, to be changed.
    pub fn get_mut(&mut self, id: KeyspaceId) -> Option<&mut T> {
        self.place(id).ok().and_then(|at| self.items.get_mut(at)).map(|(_, item)| item)
    }

    /// Puts in the item of a keyspace, in the stead of the one it had.
    pub fn insert(&mut self, id: KeyspaceId, item: T) {
        match self.place(id) {
            Ok(at) => self.items[at].1 = item,
            Err(at) => self.items.insert(at, (id, item)),
        }
    }

    /// Takes out the item of a keyspace.
    pub fn remove(&mut self, id: KeyspaceId) -> Option<T> {
        self.place(id).ok().map(|at| self.items.remove(at).1)
    }

    /// All items, by rising id.
    pub fn iter(&self) -> impl Iterator<Item = (KeyspaceId, &T)> {
        self.items.iter().map(|(id, item)| (*id, item))
    }

    /// All items, to be changed, by rising id.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = (KeyspaceId, &mut T)> {
        self.items.iter_mut().map(|(id, item)| (*id, item))
    }

    fn place(&self, id: KeyspaceId) -> Result<usize, usize> {
        self.items.binary_search_by_key(&id, |(id, _)| *id)
    }
}

impl<T> FromIterator<(KeyspaceId, T)> for PerKeyspace<T> {
    fn from_iter<I: IntoIterator<Item = (KeyspaceId, T)>>(items: I) -> Self {
        let mut all = PerKeyspace::default();
        items.into_iter().for_each(|(id, item)| all.insert(id, item));
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    proptest! {
        #[test]
        fn it_is_a_map(steps in proptest::collection::vec((0u32..12, any::<bool>()), 0..60)) {
            let (mut map, mut model) = (PerKeyspace::default(), BTreeMap::new());
            for (step, (id, add)) in steps.into_iter().enumerate() {
                if add {
                    map.insert(KeyspaceId(id), step);
                    model.insert(KeyspaceId(id), step);
                } else {
                    prop_assert_eq!(map.remove(KeyspaceId(id)), model.remove(&KeyspaceId(id)));
                }
                prop_assert!(map.iter().eq(model.iter().map(|(id, item)| (*id, item))));
                for id in (0..13).chain([u32::MAX]).map(KeyspaceId) {
                    prop_assert_eq!(map.get(id), model.get(&id));
                    prop_assert_eq!(map.get_mut(id), model.get_mut(&id));
                }
            }
        }
    }
}
