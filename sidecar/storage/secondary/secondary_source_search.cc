// How a secondary comes by the one of several addresses that it follows, and leaves it for a better one.
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "sidecar/replication/end_message.h"
#include "sidecar/replication/lineage.h"
#include "sidecar/storage/secondary/lateness.h"
#include "sidecar/storage/secondary/secondary_source.h"
#include "spdlog/spdlog.h"

namespace zrs::storage {
namespace {

// A secondary over which nothing is heard of a primary for so long is followed no more.
constexpr absl::Duration kLongestUnheard = absl::Seconds(15);
// The upstream may have lost its own when it was told.
constexpr absl::Duration kRivalToldAgain = absl::Seconds(30);
constexpr absl::string_view kNobodyRemedy =
    "zrs looks again by itself; see to the primary, or if it is lost, promote one of its secondaries";

// Where all of them answer, and none is a primary of this database, one of another database may be that primary, which
// has lost its state: what to do about that.
std::optional<std::string> RemedyOfStranger(const UpstreamChoice& choice, size_t addresses) {
  std::optional<std::string> remedy;
  for (size_t i = 0; i < addresses; ++i) {
    const UpstreamFinding& finding = choice.finding(i);
    if (IsSilent(finding) || MayBePrimary(finding)) return std::nullopt;
    if (finding.kind == UpstreamFinding::Kind::kOther && !remedy) remedy = finding.remedy;
  }
  return remedy;
}

}  // namespace

uint64_t SecondarySource::OwnGeneration() const {
  // A person told a host that yields to follow: its own promotions count no more.
  return copy_.yields ? 0 : replication::CurrentGeneration(copy_.lineage);
}

void SecondarySource::Seek() {
  if (stopping_ || state_ == SecondaryState::kStopped || differs_ || resync_) return;
  if (!search_.several()) {
    search_.OnConnecting(0);
    return Connect();
  }
  if (state_ == SecondaryState::kStarting || state_ == SecondaryState::kFollowing) state_ = SecondaryState::kConnecting;
  seeking_ = true;
  search_.Look(copy_);
  events_.changed();
}

void SecondarySource::LookAgain() {
  if (search_.several() && !stopping_) search_.Look(copy_);
}

void SecondarySource::OnSearched() {
  if (stopping_ || state_ == SecondaryState::kStopped || differs_ || resync_) return;
  const UpstreamChoice& choice = search_.choice();
  if (upstream_) {
    if (choice.outdone(runtime_.Now())) {
      Leave(
          absl::StrCat("there is the primary itself, or a later generation, elsewhere: ", choice.known_generation(0)));
    } else {
      TellOfRival();
    }
    return;
  }
  NotePresent();
  if (!seeking_ || !idle_) return;
  if (const std::optional<size_t> next = choice.Next(OwnGeneration(), runtime_.Now())) {
    seeking_ = false;
    search_.OnConnecting(*next);
    return Connect();
  }
  if (choice.round_over()) OnNobody();
}

// What a look tells of the one that was followed last.
void SecondarySource::NotePresent() {
  using Kind = UpstreamFinding::Kind;
  const UpstreamChoice& choice = search_.choice();
  // What it was before it was followed is old news.
  if (!choice.answered(choice.present())) return;
  const Kind kind = choice.finding(choice.present()).kind;
  reach_ = kind == Kind::kGone || kind == Kind::kStops ? Reach::kGone : Reach::kThere;
  // It was started again: more may have been committed there since it was stopped.
  if (reach_ == Reach::kThere) stopped_in_order_ = false;
}

void SecondarySource::OnNobody() {
  seeking_ = false;
  const UpstreamChoice& choice = search_.choice();
  const UpstreamFinding* divergence = choice.divergence(OwnGeneration());
  std::string why = search_.Describe();
  const bool rival = choice.rival(OwnGeneration()).has_value();
  const std::optional<std::string> of_stranger = RemedyOfStranger(choice, options_.upstreams.size());
  std::string remedy(rival ? replication::kTwoPrimariesRemedy : kNobodyRemedy);
  if (!rival && of_stranger) remedy = NamingStateFile(*of_stranger, options_.state_path);
  for (size_t i = 0; i < options_.upstreams.size(); ++i) {
    const std::string& refusal = choice.finding(i).why;
    why += VouchTrouble(refusal);
    remedy = VouchRemedy(refusal, remedy);
  }
  health_.OnError(why);
  retry_ = runtime_.After(backoff_.Next(runtime_.Random()), [this] { Seek(); });
  // Room alone does not help where somebody has to say which database is right.
  if (state_ == SecondaryState::kDiskFull && divergence == nullptr && !of_stranger) return;
  why = absl::StrCat("none of its addresses can be followed: ", why);
  if (divergence == nullptr) {
    problem_.Raise(why, remedy);
    state_ = SecondaryState::kConnecting;
    asked_ = AskedBySome();
    if (VouchIfAsked()) retry_.reset();
  } else {
    if (divergence->generation > 0) writer_.NoteGeneration(divergence->generation);
    state_ = SecondaryState::kDiverged;
    for (size_t i = 0; i < options_.upstreams.size(); ++i) {
      if (&choice.finding(i) == divergence) compared_ = options_.upstreams[i];
    }
    said_diverged_ = divergence->why;
    conflict_ = divergence->kind == UpstreamFinding::Kind::kConflict;
    RaiseDiverged(divergence_ ? DescribeDivergence() : why,
                  divergence_ ? DivergenceRemedy() : NamingStateFile(divergence->remedy, options_.state_path));
    if (!divergence_) Locate();
  }
  events_.changed();
}

void SecondarySource::LookAtOthers() {
  if (!search_.several() || !health_.connected()) return;
  search_.LookNowAndThen(copy_);
  // Whoever is paused does not listen.
  if (!upstream_is_secondary_ || primary_view() || writer_.paused()) primary_heard_ = runtime_.Now();
  if (runtime_.Now() - primary_heard_ >= kLongestUnheard) Leave("nothing is heard of a primary over it");
}

void SecondarySource::TellOfRival() {
  const std::optional<size_t> rival = search_.choice().rival(OwnGeneration());
  if (!rival || !search_.choice().following()) return;
  const UpstreamFinding& finding = search_.choice().finding(*rival);
  TellRival(finding.rival_generation,
            absl::StrCat("there are two primaries of generation ", finding.rival_generation, ": follower ",
                         options_.name, ", which follows this one, has found the other over ",
                         options_.upstreams[*rival], ", which says: ", finding.why));
}

void SecondarySource::OnRival(const v1::End& end) {
  if (end.reason() == v1::End::REASON_CONFLICT) TellRival(end.generation(), end.message());
}

// The one that is followed is told too, so that neither goes on alone. It comes to its primary over any number of
// secondaries.
void SecondarySource::TellRival(uint64_t generation, const std::string& message) {
  if (!upstream_ || upstream_->session().end() || !health_.connected()) return;
  if (generation != replication::CurrentGeneration(upstream_->session().lineage())) return;
  const bool told = rival_told_.address == search_.address() && rival_told_.generation == generation;
  if (told && runtime_.Now() - rival_told_.time < kRivalToldAgain) return;
  // Before it, since it may end at once.
  const bool left = std::exchange(leaving_, true);
  if (!upstream_->TellRival(generation, message, kStopGrace)) {
    leaving_ = left;
    return;
  }
  rival_told_ = {search_.address(), generation, runtime_.Now()};
  spdlog::warn("storage {}: told {} of another primary: {}", options_.name, search_.address(), message);
}

void SecondarySource::Leave(const std::string& why) {
  if (!upstream_ || upstream_->session().end()) return;
  spdlog::info("storage {}: leaves {}: {}", options_.name, search_.address(), why);
  leaving_ = true;
  upstream_->Stop(kStopGrace);
}

}  // namespace zrs::storage
