//! A core that only folds: what the journal comes to, beside the one that decides.

use crate::engine::change::Raw;
use crate::engine::policy::SiteRules;
use crate::engine::registry::{Home, Resident};
use crate::engine::sealed::Sealed;
use crate::keeper::core::Core;
use crate::keeper::ports::{Personal, Vault};
use std::sync::Arc;

/// Opens nothing: what is sealed is folded as it is.
pub struct NoVault;

impl Vault for NoVault {
    fn seal_raws(&self, _: &[(&str, &Raw)]) -> Vec<Option<Sealed<Raw>>> {
        Vec::new()
    }

    fn personal(&self, _: &Home, _: &[&Resident]) -> Option<Personal> {
        None
    }
}

/// A core that has folded nothing yet.
pub fn empty(rules: &SiteRules) -> Core {
    let mut core = Core::new(rules.clone(), Arc::new(NoVault));
    core.ready();
    core
}

/// A state as a checkpoint has it.
pub fn bytes<T: minicbor::Encode<()>>(state: &T) -> Vec<u8> {
    // Writing into a Vec cannot fail.
    minicbor::to_vec(state).unwrap_or_default()
}

/// What differs between two cores, in words; none where nothing does.
pub fn difference(one: &Core, other: &Core) -> Option<String> {
    if one.homes.len() != other.homes.len() {
        return Some(format!("{} homes in memory, {} by the journal", one.homes.len(), other.homes.len()));
    }
    if bytes(&one.site) != bytes(&other.site) {
        return Some(first_difference("the site", &format!("{:#?}", one.site), &format!("{:#?}", other.site)));
    }
    let home = one.homes.iter().zip(&other.homes).position(|(a, b)| bytes(&a.state) != bytes(&b.state))?;
    let (a, b) = (&one.homes[home].state, &other.homes[home].state);
    Some(first_difference(&format!("home {home}"), &format!("{a:#?}"), &format!("{b:#?}")))
}

fn first_difference(what: &str, memory: &str, journal: &str) -> String {
    let lines = memory.lines().zip(journal.lines()).enumerate().find(|(_, (a, b))| a != b);
    match lines {
        Some((at, (a, b))) => {
            let above = memory.lines().take(at).filter(|l| l.trim_end().ends_with(['{', '[', '('])).last();
            format!(
                "{what} in {} is {:?} in memory, {:?} by the journal",
                above.unwrap_or("").trim(),
                a.trim(),
                b.trim()
            )
        }
        None => format!("{what} differs in length"),
    }
}
