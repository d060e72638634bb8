//! More trouble at once than a channel takes: calls for help first and alone, what does not fit by another way and in digests, and never
//! more than the receiver allows.

use super::scene::{Scene, channel, home, ladder, responder};
use crate::engine::kind::AlarmKind;
use crate::engine::registry::{Channel, ChannelDialect, Entity, Status};
use std::collections::BTreeSet;

const MORNING: u64 = 8 * 3_600_000;
/// What WeCom and DingTalk take a minute.
const A_MINUTE: usize = 20;

/// So many homes; a group's robot first, and after a minute an SMS.
fn town(homes: usize) -> Scene {
    town_of(homes, ChannelDialect::Wecom)
}

fn town_of(homes: usize, dialect: ChannelDialect) -> Scene {
    let Entity::Channel(robot) = channel("robot", 8) else { unreachable!() };
    let robot = Entity::Channel(Channel { dialect, ..robot });
    let mut all = vec![robot, channel("sms", 8), responder("robot", &["robot"]), responder("sms", &["sms"])];
    all.push(ladder("life", &[("robot", 60), ("sms", 120)], 120));
    all.push(ladder("welfare", &[("robot", 86_400)], 86_400));
    all.extend((0..homes).map(|n| home(&name(n), Status::Active)));
    Scene::of(MORNING, all)
}

fn name(n: usize) -> String {
    format!("h{n:04}")
}

fn names(homes: std::ops::Range<usize>) -> Vec<String> {
    homes.map(name).collect()
}

/// What left by a channel, each with its second.
struct Log(Vec<(u64, String)>);

impl Log {
    /// What happens within so many seconds.
    fn of(scene: &mut Scene, seconds: u64) -> Log {
        let mut all = Vec::new();
        for second in 0..=seconds {
            scene.advance(MORNING + second * 1000);
            all.extend(scene.told.drain(..).filter_map(|line| Some((second, line.split_once("-> ")?.1.to_owned()))));
        }
        Log(all)
    }

    fn by(&self, channel: &str) -> Vec<(u64, &str)> {
        let sent = self.0.iter().filter_map(|(at, line)| Some((*at, line.strip_prefix(channel)?.strip_prefix(": ")?)));
        sent.collect()
    }

    /// The alarms of which a channel has told by a second, alone or in a digest.
    fn told(&self, channel: &str, kind: &str, by: u64) -> BTreeSet<String> {
        let sent = self.by(channel).into_iter().filter(|(at, _)| *at <= by);
        let words = sent.flat_map(|(_, line)| line.split(' ')).filter(|word| word.starts_with(&format!("{kind}#")));
        words.map(str::to_owned).collect()
    }

    /// The most that went by a channel within a minute.
    fn most(&self, channel: &str) -> usize {
        let sent = self.by(channel);
        sent.iter()
            .map(|(from, _)| sent.iter().filter(|(at, _)| (*from..=from + 60).contains(at)).count())
            .max()
            .unwrap_or(0)
    }
}

#[test]
fn of_three_thousand_homes_in_trouble_every_call_for_help_is_told_within_ten_seconds() {
    let mut scene = town(3_000);
    scene.concludes(&names(40..3_000), AlarmKind::WelfareCheck);
    scene.concludes(&names(0..40), AlarmKind::PossibleSos);
    let log = Log::of(&mut scene, 180);
    assert_eq!(log.told("robot", "possible_sos", 5).len(), 40, "{:?}", log.by("robot"));
    assert!(log.told("sms", "possible_sos", 0).len() >= 25, "what the robot had no place for goes on at once");
    assert_eq!(log.told("robot", "welfare_check", 130).len(), 2_960, "everything else is digested");
    assert!(log.most("robot") <= A_MINUTE, "{} a minute", log.most("robot"));
    let digests = log.by("robot").iter().filter(|(_, line)| line.starts_with("digest")).count();
    assert!(digests <= 4, "{digests} digests");
}

#[test]
fn a_storm_that_goes_on_is_told_in_digests_at_the_receivers_pace() {
    let mut scene = town(400);
    let mut log = Log(Vec::new());
    for n in 0..200 {
        let at = MORNING + n * 1_000;
        scene.advance(at);
        scene.concludes(&names(n as usize..n as usize + 1), AlarmKind::PossibleSos);
        log.0.extend(scene.told.drain(..).filter_map(|line| Some((n, line.split_once("-> ")?.1.to_owned()))));
    }
    assert!(log.most("robot") <= A_MINUTE, "{} a minute", log.most("robot"));
    for by in [30, 60, 120, 199] {
        let (robot, sms) = (log.told("robot", "possible_sos", by), log.told("sms", "possible_sos", by));
        let all: BTreeSet<_> = robot.union(&sms).collect();
        assert!(all.len() as u64 > by.saturating_sub(5), "by {by} s of {} calls {} were told of", by + 1, all.len());
    }
    let late = log.told("robot", "possible_sos", 199).len();
    assert!(late >= 150, "the robot's group has heard of {late} of 200");
}

#[test]
fn a_robot_that_wants_to_be_left_alone_is_and_calls_go_another_way() {
    let mut scene = town(50);
    scene.happens("channel robot rate_limited");
    scene.concludes(&names(0..1), AlarmKind::PossibleSos);
    scene.concludes(&names(1..20), AlarmKind::PossibleSos);
    let log = Log::of(&mut scene, 20);
    assert_eq!(log.told("sms", "possible_sos", 1).len(), 20, "{:?}", log.0);
    let asked = log.by("robot").len();
    assert!(asked <= 8 + 6, "{asked} attempts against a robot that says too many");
}

#[test]
fn feishu_gets_five_a_second_and_nobody_is_sent_another_way_for_a_second() {
    let mut scene = town_of(40, ChannelDialect::Feishu);
    scene.concludes(&names(0..40), AlarmKind::PossibleSos);
    let log = Log::of(&mut scene, 12);
    let sent = log.by("robot");
    let most = (0..12).map(|second| sent.iter().filter(|(at, _)| *at == second).count()).max();
    assert!(most <= Some(5) && sent.len() == 40, "{most:?} a second, {} in all", sent.len());
    assert!(log.by("sms").is_empty(), "{:?}", log.by("sms"));
}

#[test]
fn what_was_taken_or_closed_meanwhile_stands_in_no_digest() {
    let mut scene = town(60);
    scene.concludes(&names(0..40), AlarmKind::PossibleSos);
    scene.advance(MORNING + 1_000);
    scene.happens("zhang seen #40");
    scene.happens("zhang safe seen #39");
    scene.happens("zhang close #39");
    let log = Log::of(&mut scene, 6);
    let digest =
        log.by("robot").into_iter().find(|(_, line)| line.starts_with("digest")).expect("a digest").1.to_owned();
    assert!(digest.contains("#38") && !digest.contains("#39") && !digest.contains("#40"), "{digest}");
}

#[test]
fn a_digest_that_fails_comes_again_under_its_id_and_each_alarm_knows_how_it_was_told() {
    let mut scene = town(60);
    scene.concludes(&names(0..40), AlarmKind::PossibleSos);
    scene.advance(MORNING + 3_500);
    scene.told.clear();
    scene.happens("channel robot refuses");
    scene.advance(MORNING + 4_500);
    scene.happens("kill");
    scene.happens("start");
    scene.happens("channel robot takes");
    scene.advance(MORNING + 20_000);
    let digests: Vec<&String> = scene.told.iter().filter(|line| line.contains("-> robot: digest")).collect();
    assert!(digests.len() >= 2, "{:?}", scene.told);
    let id = |line: &String| line.split("digest#").nth(1).and_then(|rest| rest.split(' ').next()).map(str::to_owned);
    assert!(digests.windows(2).all(|pair| id(pair[0]) == id(pair[1])), "{digests:?}");
    let knows = |home: &crate::keeper::core::Slot| {
        home.state.alarms.iter().all(|alarm| alarm.tellings.iter().any(|t| t.channel.as_str() == "robot" && t.knows))
    };
    assert!(scene.core.homes.iter().all(knows), "each alarm keeps its own record");
}

#[test]
fn what_was_taken_while_its_digest_was_being_sent_fails_no_more() {
    let mut scene = town(60);
    scene.concludes(&names(0..40), AlarmKind::PossibleSos);
    scene.advance(MORNING + 3_500);
    scene.happens("channel robot hangs");
    scene.advance(MORNING + 4_500);
    let digest = scene.any_hanging().expect("a digest is being sent");
    scene.happens("zhang seen #40");
    scene.happens(&format!("answer {digest} timed_out"));
    scene.advance(MORNING + 8_000);
    scene.happens(&format!("answer {digest} timed_out"));
    // Nobody has it any more: it is told anew, and nothing that was taken back counts as under way (the stage asks the checker).
    scene.happens("zhang cannot #40");
    scene.happens("channel robot takes");
    scene.advance(MORNING + 30_000);
}
