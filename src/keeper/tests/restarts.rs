//! A restart at every step of a ladder: the same notices as without it, each once by its id.

use super::scene::Scene;
use super::words;

/// Two alarms whose ladders are gone up to the top and over it, are taken and left, and come to their ends; the acts fall between the
/// steps of the ladders.
const STORY: &[(&str, &str)] = &[
    ("08:00:00", "press"),
    ("08:02:30", "h2/button fall=true!"),
    ("08:06:10", "zhang seen #1"),
    ("08:06:20", "zhang no-answer #1"),
    ("08:09:20", "deputy on-my-way 5 #1"),
    ("08:10:40", "h1/button sos=true!"),
    ("08:11:15", "deputy on-my-way 3 #1"),
    ("08:12:25", "desk hold #2"),
    ("08:13:40", "lead seen #2"),
    ("08:13:50", "lead cannot #2"),
    ("08:20:05", "lead on-site #1"),
    ("08:21:25", "lead safe seen #1"),
    ("08:21:35", "lead close accidental #1"),
    ("08:22:05", "lead no-access #2"),
    ("08:23:10", "lead safe seen #2"),
    ("08:23:15", "lead close accidental #2"),
];
const END: &str = "08:26:00";
/// How long a receiver takes to answer.
const ANSWERS_AFTER: u64 = 200;

/// The stage, with receivers that answer after a while.
struct Play {
    scene: Scene,
    now: u64,
    /// When which notice is answered.
    answers: Vec<(u64, String)>,
    /// What was sent, without how often it was tried and how late it was.
    sent: Vec<String>,
}

impl Play {
    /// Takes down what was sent, for its answer.
    fn listen(&mut self) {
        for line in self.scene.told.drain(..) {
            let Some((_, notice)) = line.split_once("-> ") else { continue };
            // `desk: sos#1 n1 rung 1.0 try 2 late 3 s`
            let words: Vec<&str> = notice.split_whitespace().collect();
            let number = words[1].split_once('#').map_or("", |(_, number)| number);
            self.answers.push((self.now + ANSWERS_AFTER, format!("{number}-{}", words[2])));
            let without = [" try", " late"].iter().fold(notice, |text, end| text.split(end).next().unwrap_or(text));
            self.sent.push(without.to_owned());
        }
    }

    fn answer(&mut self) {
        let now = self.now;
        while let Some(at) = self.answers.iter().position(|(at, _)| *at <= now) {
            let (_, notice) = self.answers.remove(at);
            self.scene.happens(&format!("answer {notice} delivered"));
            self.listen();
        }
    }
}

/// The notices of the story, each as often as it was sent, with the process killed at one of its moments and begun anew after a while.
fn sent(dies_at: Option<u64>, away_for: u64) -> Vec<String> {
    let begin = words::millis("08:00:00");
    let mut play = Play { scene: Scene::usual(begin), now: begin, answers: Vec::new(), sent: Vec::new() };
    ["desk", "zhang", "deputy", "lead"].iter().for_each(|name| play.scene.happens(&format!("channel {name} hangs")));
    let mut acts = STORY.iter().map(|(at, what)| (words::millis(at), *what)).peekable();
    let back_at = dies_at.map(|at| at + away_for);
    for now in (begin..=words::millis(END)).step_by(100) {
        play.now = now;
        play.scene.advance(now);
        play.listen();
        if dies_at == Some(now) {
            play.scene.happens("kill");
            play.answers.clear();
        }
        if back_at == Some(now) {
            ["start", "link up"].iter().for_each(|what| play.scene.happens(what));
            play.listen();
        }
        if dies_at.is_some_and(|at| at <= now) && back_at.is_some_and(|at| now < at) {
            continue;
        }
        while let Some((_, what)) = acts.next_if(|(at, _)| *at <= now) {
            play.scene.happens(what);
            play.listen();
        }
        play.answer();
    }
    assert!(play.scene.core.homes.iter().all(|home| home.state.alarms.is_empty()), "the story ends well");
    play.sent
}

fn each_once(mut sent: Vec<String>) -> Vec<String> {
    sent.sort();
    sent.dedup();
    sent
}

/// The moments of the story at which something is sent, acted or answered, and those around them.
fn moments() -> Vec<u64> {
    let steps = (0..=26 * 60 / 5).map(|n| words::millis("08:00:00") + n * 5_000);
    let around = steps.flat_map(|at| [at.saturating_sub(100), at, at + 100, at + 200, at + 300]);
    around.filter(|at| *at >= words::millis("08:00:00") && *at <= words::millis("08:24:00")).collect()
}

#[test]
fn a_restart_at_any_step_of_a_ladder_sends_the_same_notices_each_once_by_its_id() {
    let without = sent(None, 0);
    let once = each_once(without.clone());
    assert_eq!(without.len(), once.len(), "nothing is sent twice where nothing dies");
    assert!(once.len() > 30, "the ladders are gone up: {once:#?}");
    for at in moments() {
        // Whoever is away for no time is late for nothing.
        assert_eq!(each_once(sent(Some(at), 0)), once, "killed at {}", words::clock(at));
    }
}

#[test]
fn what_fell_due_while_nobody_ran_is_told_by_the_next_process_and_nothing_else() {
    let once = each_once(sent(None, 0));
    // Away for half a second around every step: what fell due meanwhile is told late, under the number it would have had.
    for at in moments().into_iter().step_by(5) {
        assert_eq!(each_once(sent(Some(at), 500)), once, "killed at {}", words::clock(at));
    }
}
