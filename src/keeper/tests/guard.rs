//! The checker of what must never be: a fault of ours is planted, it is found, and mended where it stands.

use super::scene::Scene;
use crate::engine::change::SiteChange;
use crate::engine::delivery::{Failure, Outcome};
use crate::keeper::core::{Broken, Finding};

const MORNING: u64 = 8 * 3_600_000;

/// A site in which somebody has pressed, and nobody has answered yet.
fn pressed() -> Scene {
    let mut scene = Scene::usual(MORNING);
    scene.happens("channel desk hangs");
    scene.happens("h1/button sos=true!");
    scene.told.clear();
    scene
}

fn names(found: &[Finding]) -> Vec<&'static str> {
    found.iter().map(|finding| finding.what.name()).collect()
}

#[test]
fn a_site_that_works_has_nothing_to_find() {
    assert_eq!(pressed().core.broken(), []);
}

#[test]
fn a_home_that_nobody_would_wake_is_found_and_scheduled() {
    let mut scene = pressed();
    scene.core.forget_deadlines();
    assert_eq!(names(&scene.core.broken()), ["unscheduled"]);
    scene.guard();
    assert_eq!(scene.core.broken(), []);
    scene.advance(MORNING + 61_000);
    assert!(scene.told.iter().any(|line| line.contains("rung 3.0")), "the ladder goes on: {:?}", scene.told);
}

#[test]
fn a_deadline_that_passed_unnoticed_is_kept_late() {
    let mut scene = pressed();
    scene.core.forget_deadlines();
    scene.sleep_until(MORNING + 100_000);
    assert_eq!(names(&scene.core.broken()), ["overdue"]);
    scene.guard();
    assert!(scene.told.iter().any(|line| line.contains("rung 3.0")), "the ladder goes on: {:?}", scene.told);
    assert_eq!(scene.core.broken(), []);
}

#[test]
fn an_attempt_of_which_nobody_tells_is_made_again_under_its_id() {
    let mut scene = pressed();
    scene.advance(MORNING + 121_000);
    scene.sleep_until(MORNING + 121_000);
    assert_eq!(names(&scene.core.broken()), ["attempt_hangs"]);
    scene.happens("channel desk takes");
    scene.guard();
    scene.advance(MORNING + 123_000);
    assert!(
        scene.told.iter().any(|line| line.contains("-> desk: sos#1 n1") && line.contains("try 2")),
        "{:?}",
        scene.told
    );
    assert_eq!(scene.core.broken(), []);
}

#[test]
fn a_notice_that_is_nowhere_is_made_again_under_its_id() {
    let mut scene = pressed();
    let notice = scene.core.site.outbox.all().next().expect("a notice").notice.id.clone();
    let outcome = Outcome::failed(Failure::Interrupted);
    scene.suffers(SiteChange::AttemptEnded { notice, attempt: 1, outcome, again: None });
    let found = scene.core.broken();
    assert!(matches!(found[..], [Finding { what: Broken::NoticeLost { .. }, .. }]), "{found:?}");
    scene.happens("channel desk takes");
    scene.told.clear();
    scene.guard();
    assert_eq!(scene.core.broken(), []);
    assert!(
        scene.told.iter().any(|line| line.contains("-> desk: sos#1 n1 rung 1.0")),
        "it is told anew: {:?}",
        scene.told
    );
}
