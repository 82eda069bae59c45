#include "tests/simulation/generation_watch.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "sidecar/replication/lineage.h"

namespace zrs::simulation {
namespace {

// An answer may come while another stream is being opened, or is being left.
constexpr absl::Duration kNoticed = absl::Seconds(5);

}  // namespace

GenerationWatch::Follower& GenerationWatch::Find(const std::string& node, uint64_t life) {
  Follower& follower = followers_[node];
  if (follower.life != life) {
    follower = {};
    follower.life = life;
  }
  return follower;
}

void GenerationWatch::OnHello(const std::string& node, uint64_t life, const v1::Hello& hello) {
  Follower& follower = Find(node, life);
  // A person told a host that yields to follow: its own promotions count no more.
  follower.own = {hello.lineage().database_id(), hello.yields() ? 0 : replication::CurrentGeneration(hello.lineage())};
  follower.follows.reset();
  follower.stale_since.reset();
}

std::string GenerationWatch::OnMessage(const std::string& node, uint64_t life, const std::string& peer, bool look,
                                       const v1::PublisherMessage& message, absl::Duration now) {
  Follower& follower = Find(node, life);
  if (message.has_welcome() && message.welcome().decision() != v1::Welcome::DECISION_INSPECT) {
    Known told{message.welcome().lineage().database_id(), replication::CurrentGeneration(message.welcome().lineage())};
    if (!look) follower.follows = told;
    if (look && message.welcome().yields()) told.generation = 0;
    if (look) follower.heard_of[peer] = told;
  }
  // It has diverged from whom it was told to follow, and will be a copy of that one's again.
  if (look && message.has_end() && message.end().reason() == v1::End::REASON_SOURCE_FAILED)
    follower.heard_of.erase(peer);
  // It has lost its state, and with it what it was promoted to.
  if (look && message.end().takes_identity() != v1::End::TAKES_IDENTITY_NO) follower.heard_of.erase(peer);
  if (!message.has_heartbeat() || !follower.follows) return "";
  uint64_t known = 0;
  const auto note = [&](const Known& one) {
    if (one.database == follower.follows->database) known = std::max(known, one.generation);
  };
  note(follower.own);
  for (const auto& [whose, heard] : follower.heard_of) note(heard);
  if (follower.follows->generation >= known) {
    follower.stale_since.reset();
    return "";
  }
  if (!follower.stale_since) follower.stale_since = now;
  if (now - *follower.stale_since < kNoticed) return "";
  return absl::StrCat("follows one of generation ", follower.follows->generation, ", and knows of ", known);
}

}  // namespace zrs::simulation
