//! An answer that a provider hands on, such as the key that somebody pressed in a call. No account asks here: the token that the notice
//! brought along to the provider, and that comes back in the body, is the authority.
//!
//! A provider asks again where it gets no 200, so it gets one for everything that would be the same the next time. **A key proves nothing
//! about whoever lives there:** safe means seen, spoken to or handed to 120, so it becomes a note in the alarm's story, and settles nothing.

use super::alarms::{Wanted, carry_out};
use super::gate::Peer;
use super::once::Answered;
use super::problem::Problem;
use super::respond::{address, too_many};
use super::{Open, Room, Shared};
use crate::engine::alarm::{Act, Alarm, Attention};
use crate::engine::channel::{Answers, Said};
use crate::engine::id::{AlarmId, ChannelId, ResponderId, SiteId};
use crate::engine::policy::{HOMES_OWN, is_of_the_home};
use crate::engine::registry::{Home, Resident, Responder};
use crate::keeper::core::Core;
use crate::wire::respond::{BadLink, Scope};
use axum::Json;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use serde_json::{Value, json};

/// The largest body that is read.
pub(super) const MAX_BODY_BYTES: usize = 16 * 1024;
/// How often an act is tried where the alarm changes meanwhile.
const TRIES: usize = 3;
/// The digits of a phone that are looked at.
const MAX_DIGITS: usize = 32;
/// Fewer digits are no phone of one person.
const LEAST_DIGITS: usize = 7;
/// The most digits of a country's code.
const MOST_OF_COUNTRY: usize = 3;

/// `POST /api/v1/answers/{channel}`
pub(super) async fn hear(
    State(room): State<Shared>,
    peer: Peer,
    Path(channel): Path<String>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Json<Value>, Problem> {
    let body = body?;
    let (site, channel, answers) = described(&room, &channel).await?;
    let body: Value = serde_json::from_slice(&body).map_err(|_| {
        Problem::new(StatusCode::BAD_REQUEST, "bad_body", "The callback's body has to be a JSON document.")
    })?;
    let token = word(&body, &answers.token).unwrap_or_default();
    let scope = believed(&room, &token, &site, &channel, &address(&headers, &peer))?;
    let key = word(&body, &answers.key).unwrap_or_default();
    let Some(said) = answers.said(&key) else { return Ok(Json(outcome("ignored"))) };
    let visits = room.porch.tries.visits.take(&scope.notice.to_string(), room.tick());
    visits.map_err(|wait| too_many("too_many_answers", "This notice is answered too often; wait a little.", wait))?;
    let phone = answers.phone.as_deref().and_then(|way| word(&body, way)).map(|text| digits(&text)).unwrap_or_default();
    // Two people who were called for one notice are two answers.
    let of = (channel.to_string(), "answers".to_owned(), format!("{key}\n{phone}\n{token}"));
    let work = {
        let room = room.clone();
        async move { carried(&room, &scope, said, &phone).await }
    };
    room.pushed.run(of, 0, work).await.map(Json)
}

fn outcome(word: &str) -> Value {
    json!({"outcome": word})
}

/// What stands at a place of the body, as the text that it is or would be.
fn word(body: &Value, way: &str) -> Option<String> {
    match body.pointer(way)? {
        Value::String(text) => Some(text.trim().to_owned()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// The channel, its site, and how its provider hands on answers.
async fn described(room: &Room, channel: &str) -> Result<(SiteId, ChannelId, Answers), Problem> {
    let unknown = || Problem::not_found("no_such_channel", "No channel of this name has [channel.template.answers].");
    let id: ChannelId = channel.parse().map_err(|_| unknown())?;
    let wanted = id.clone();
    let found = room.found(move |core| {
        let template = core.site.registry.channels.get(&wanted)?.template.as_ref()?;
        template.answers.as_deref().cloned()
    });
    found.await?.map(|(site, answers)| (room.sites[site].id.clone(), id, answers)).ok_or_else(unknown)
}

/// What the token is good for. Of what is wrong with one only its age is told; whoever guesses is heard no more for a while.
fn believed(room: &Room, token: &str, site: &SiteId, channel: &ChannelId, from: &str) -> Result<Scope, Problem> {
    let refused = |reason, detail| Err(Problem::new(StatusCode::UNAUTHORIZED, reason, detail));
    match room.links.answered(token, room.wall()) {
        Ok(scope) if scope.channel == *channel && scope.alarm().site == *site => Ok(scope),
        Err(BadLink::Expired(_)) => {
            refused("answer_expired", "The time of this token is over: twelve hours after its notice.")
        }
        Ok(_) | Err(BadLink::Forged) => {
            metrics::counter!("hearthwatch_answers_forged_total").increment(1);
            let detail = "Too many wrong tokens came from here; wait.";
            let taken = room.porch.tries.strangers.take(from, room.tick());
            taken.map_err(|wait| too_many("too_many_tries", detail, wait))?;
            refused("answer_forged", "Send back the token that this channel's notice brought along as {{ answer }}.")
        }
    }
}

/// An open alarm, and who may have been called for it.
struct Called {
    revision: u32,
    attention: Attention,
    /// Those whom the channel reaches, with their rung (from 1), the rung told last first, each rung in its order.
    people: Vec<(u32, Responder)>,
    home: Option<Home>,
    residents: Vec<Resident>,
}

impl Called {
    /// None: it is closed.
    fn of(core: &Core, scope: &Scope) -> Option<Called> {
        let of_it = |alarm: &&Alarm| alarm.id == *scope.alarm();
        let found = core.homes.iter().enumerate();
        let (number, alarm) =
            found.flat_map(|(n, slot)| slot.state.alarms.iter().map(move |a| (n, a))).find(|(_, a)| of_it(a))?;
        let registry = &core.site.registry;
        let told = alarm.telling(&scope.channel).map_or(0, |telling| telling.rung);
        let ladder = core.homes.get(number)?.policy.ladder(alarm.kind);
        let rungs = (1..).zip(&ladder.rungs).take(told as usize).collect::<Vec<_>>().into_iter().rev();
        let reached =
            rungs.flat_map(|(n, rung)| rung.reached_by(&scope.channel, scope.issued()).map(move |id| (n, id)));
        let home = &core.site.homes.get(number)?.id;
        Some(Called {
            revision: alarm.revision,
            attention: alarm.attention.clone(),
            people: reached.filter_map(|(n, id)| Some((n, registry.responders.get(id)?.clone()))).collect(),
            home: registry.homes.get(home).cloned(),
            residents: registry.residents.values().filter(|one| one.home == *home).cloned().collect(),
        })
    }

    /// Who answered: of the people called, whoever has the phone, and of the home's own whoever lives there or is a contact. Where no phone
    /// tells, it is the first of the rung told last; but where the home's own were called too, they: nobody else could be blamed
    /// for having taken what a resident's key stopped.
    fn who(&self, phone: &str, vault: &dyn Open) -> Option<ResponderId> {
        let is = |of: Option<String>| of.is_some_and(|of| is_same_phone(phone, &digits(&of)));
        let colleagues = self.people.iter().map(|(_, one)| one).filter(|one| !is_of_the_home(&one.id));
        let known = colleagues.into_iter().find(|one| is(vault.responder(one).map(|of| of.phone)));
        if let Some(known) = known {
            return Some(known.id.clone());
        }
        let [resident, family] = HOMES_OWN.map(ResponderId::cut);
        if self.residents.iter().any(|one| is(vault.resident(one).map(|of| of.phone))) {
            return Some(resident);
        }
        let contacts = self.home.as_ref().and_then(|home| vault.home(home));
        let contacts = contacts.map(|of| [of.contact1_phone, of.contact2_phone, of.keyholder_phone]);
        if contacts.into_iter().flatten().any(|phone| is(Some(phone))) {
            return Some(family);
        }
        let last = self.people.first()?.0;
        let mut people = self.people.iter().take_while(|(rung, _)| *rung == last).map(|(_, one)| &one.id);
        let own = people.clone().find(|id| is_of_the_home(id));
        own.or_else(|| people.next()).cloned()
    }
}

/// Does what was answered. Err: it came to nothing, and is done when it comes again.
async fn carried(room: &Room, scope: &Scope, said: Said, phone: &str) -> Result<Answered, Problem> {
    let (alarm, channel) = (scope.alarm(), &scope.channel);
    let site = room.site(&alarm.site).ok_or_else(|| Problem::not_found("no_such_site", "Its site is not served."))?;
    for _ in 0..TRIES {
        let asked = scope.clone();
        let Some(called) = site.keeper.ask(move |core| Called::of(core, &asked)).await? else {
            return Ok(Ok(outcome("closed")));
        };
        let Some(by) = called.who(phone, &*room.vault) else { return Ok(Ok(outcome("ignored"))) };
        // It is nobody's duty who lives there or is family: that they heard of it stops no ladder.
        let said = if said == Said::Taken && is_of_the_home(&by) { Said::Fine } else { said };
        let done = match (said, &called.attention) {
            // Somebody is safe already: nobody is called any more.
            (Said::Taken, Attention::Settled) => Done::Not("closed"),
            (Said::Taken, Attention::Taken { by: owner, .. }) if *owner != by => Done::Not("already_taken"),
            (Said::Taken, _) => acted(room, alarm, Act::Seen, &by, called.revision).await?,
            (Said::Cannot, _) => acted(room, alarm, Act::Cannot, &by, called.revision).await?,
            (Said::Fine | Said::Help, _) => Done::Yes,
        };
        let word = match done {
            Done::Stale => continue,
            Done::Not(word) => word,
            Done::Yes => noted(room, alarm, said, &by, channel).await?,
        };
        metrics::counter!("hearthwatch_answers_total", "outcome" => word).increment(1);
        tracing::info!(responder = %by, %alarm, %channel, outcome = word, "answered through a channel's provider");
        return Ok(Ok(outcome(word)));
    }
    Err(Problem::unavailable("busy", "The alarm changes too fast; send it again."))
}

/// What became of an act.
enum Done {
    Yes,
    /// The alarm changed since it was read.
    Stale,
    /// There is nothing to do; the outcome's word.
    Not(&'static str),
}

async fn acted(room: &Room, id: &AlarmId, act: Act, by: &ResponderId, revision: u32) -> Result<Done, Problem> {
    match carry_out(room, id.clone(), Wanted::Act(act), by.clone(), Some(revision)).await? {
        Ok(_) => Ok(Done::Yes),
        Err(problem) if problem.reason() == "stale_revision" => Ok(Done::Stale),
        Err(problem) if is_over(&problem) => Ok(Done::Not("closed")),
        Err(problem) => Err(problem),
    }
}

fn is_over(problem: &Problem) -> bool {
    matches!(problem.reason(), "closed" | "no_such_alarm")
}

/// The outcome's word, and what stands in the story.
fn told(said: Said, channel: &ChannelId) -> (&'static str, String) {
    let (word, zh, en) = match said {
        Said::Taken => ("taken", "按键接单", "has taken it"),
        Said::Cannot => ("cannot", "按键表示去不了", "cannot"),
        Said::Fine => ("fine", "按键表示没事，不算确认平安", "says fine, which is no proof of safety"),
        Said::Help => ("help", "按键求助，需要帮助", "needs help"),
    };
    (word, format!("自动应答（{channel}）：{zh} · automatic answer ({channel}): {en}"))
}

/// Writes the answer into the alarm's story, with the channel it came through; gives the outcome's word. An act that was done stays done.
async fn noted(
    room: &Room,
    id: &AlarmId,
    said: Said,
    by: &ResponderId,
    channel: &ChannelId,
) -> Result<&'static str, Problem> {
    let (word, text) = told(said, channel);
    let answer = carry_out(room, id.clone(), Wanted::Note(text), by.clone(), None).await;
    let was_done = matches!(said, Said::Taken | Said::Cannot);
    match answer {
        Ok(Ok(_)) => Ok(word),
        _ if was_done => Ok(word),
        Ok(Err(problem)) if is_over(&problem) => Ok("closed"),
        Err(problem) if problem.reason() == "not_sealed" => {
            tracing::warn!(alarm = %id, responder = %by, %channel, outcome = word, "an answer could not be noted: no keys");
            Ok(word)
        }
        Ok(Err(problem)) | Err(problem) => Err(problem),
    }
}

/// The digits of a number as it is dialled, without the zeros before a country's or an area's code.
fn digits(text: &str) -> String {
    let digits: String = text.chars().filter(char::is_ascii_digit).take(MAX_DIGITS).collect();
    digits.trim_start_matches('0').to_owned()
}

/// Whether two numbers are one; the longer may have a country's code in front.
fn is_same_phone(a: &str, b: &str) -> bool {
    let (short, long) = if a.len() <= b.len() { (a, b) } else { (b, a) };
    short.len() >= LEAST_DIGITS && long.len() - short.len() <= MOST_OF_COUNTRY && long.ends_with(short)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_phone_is_the_same_with_and_without_a_countrys_code() {
        let table = [
            ("13800000001", "138 0000 0001", true),
            ("+86 138-0000-0001", "13800000001", true),
            ("008613800000001", "13800000001", true),
            ("+86 519 8888 0012", "0519-88880012", true),
            ("13800000002", "13800000001", false),
            ("99999913800000001", "13800000001", false),
            ("000001", "13800000001", false),
            ("", "13800000001", false),
            ("", "", false),
        ];
        for (a, b, expected) in table {
            assert_eq!(is_same_phone(&digits(a), &digits(b)), expected, "{a} {b}");
        }
    }

    #[test]
    fn the_story_says_in_both_languages_through_which_channel() {
        let channel = ChannelId::cut("call");
        let fine = "自动应答（call）：按键表示没事，不算确认平安 · automatic answer (call): says fine, which is no proof of safety";
        assert_eq!(told(Said::Fine, &channel), ("fine", fine.to_owned()));
        for said in [Said::Taken, Said::Cannot, Said::Help] {
            assert_eq!(told(said, &channel).1.matches("call)").count(), 1, "{said:?}");
        }
    }

    #[test]
    fn what_stands_in_a_callback_is_read_as_a_text() {
        let body = json!({"a": {"key": " 1 "}, "n": 1, "l": [{"k~/": "x"}], "b": true});
        let table = [
            ("/a/key", Some("1")),
            ("/n", Some("1")),
            ("/l/0/k~0~1", Some("x")),
            ("/b", None),
            ("/a", None),
            ("/z", None),
        ];
        for (way, expected) in table {
            assert_eq!(word(&body, way).as_deref(), expected, "{way}");
        }
    }
}
