#include "sidecar/storage/secondary/upstream_choice.h"

#include <algorithm>
#include <cassert>
#include <utility>

namespace zrs::storage {
namespace {

using Kind = UpstreamFinding::Kind;

}  // namespace

UpstreamChoice::UpstreamChoice(size_t addresses) : addresses_(addresses) { assert(addresses > 0); }

void UpstreamChoice::BeginRound() {
  for (Address& address : addresses_) address.answered = false;
  first_found_.reset();
}

void UpstreamChoice::OnFound(size_t number, UpstreamFinding finding, absl::Duration now) {
  Address& address = addresses_[number];
  address.answered = true;
  address.found_at = now;
  // What does not answer has told nothing else; nor has one that refuses, as a primary does that starts.
  if (!IsSilent(finding) && finding.kind != Kind::kRefuses) {
    address.generation = finding.generation;
    address.was_primary = MayBePrimary(finding);
  }
  const bool usable = finding.kind == Kind::kPrimary || finding.kind == Kind::kSecondary;
  if (usable && !first_found_) first_found_ = now;
  address.finding = std::move(finding);
}

void UpstreamChoice::OnConnecting(size_t address) {
  if (address != present_) present_was_followed_ = false;
  present_ = address;
}

void UpstreamChoice::OnFollowing(uint64_t generation, bool secondary) {
  followed_generation_ = generation;
  follows_primary_ = !secondary;
  present_was_followed_ = true;
  addresses_[present_].generation = generation;
  addresses_[present_].was_primary = follows_primary_;
}

void UpstreamChoice::OnLost(absl::Duration now) {
  if (!std::exchange(followed_generation_, std::nullopt)) return;
  if (follows_primary_) primary_lost_ = now;
}

uint64_t UpstreamChoice::known_generation(uint64_t own) const {
  for (const Address& address : addresses_) own = std::max(own, address.generation);
  return own;
}

bool UpstreamChoice::turned_away(size_t address, absl::Duration now) const {
  const auto& when = addresses_[address].turned_away;
  return addresses_.size() > 1 && when && now - *when < kFull;
}

bool UpstreamChoice::CanBeFollowed(size_t number, uint64_t known, absl::Duration now) const {
  const Address& address = addresses_[number];
  if (!address.answered || address.finding.generation < known || turned_away(number, now)) return false;
  if (address.finding.kind == Kind::kPrimary) return true;
  if (address.finding.kind != Kind::kSecondary) return false;
  return !primary_lost_ || now - *primary_lost_ >= kPatience;
}

std::optional<size_t> UpstreamChoice::Best(uint64_t known, absl::Duration now) const {
  for (const Kind kind : {Kind::kPrimary, Kind::kSecondary}) {
    for (size_t i = 0; i < addresses_.size(); ++i) {
      if (addresses_[i].finding.kind == kind && CanBeFollowed(i, known, now)) return i;
    }
  }
  return std::nullopt;
}

std::optional<size_t> UpstreamChoice::Next(uint64_t own, absl::Duration now) const {
  const uint64_t known = known_generation(own);
  const std::optional<size_t> best = Best(known, now);
  if (!best || round_over()) return best;
  // The primary that was followed last is as good as it was: if another has outdone it, that one's answer comes yet.
  if (present_was_followed_ && addresses_[present_].finding.kind == Kind::kPrimary &&
      CanBeFollowed(present_, known, now)) {
    return present_;
  }
  if (first_found_ && now - *first_found_ >= kOthersMayAnswer) return best;
  return std::nullopt;
}

bool UpstreamChoice::round_over() const {
  return std::all_of(addresses_.begin(), addresses_.end(), [](const Address& address) { return address.answered; });
}

bool UpstreamChoice::outdone(absl::Duration now) const {
  if (!followed_generation_) return false;
  const uint64_t known = known_generation(0);
  if (known > *followed_generation_) return true;
  if (follows_primary_) return false;
  const std::optional<size_t> best = Best(known, now);
  return best && *best != present_ && addresses_[*best].finding.kind == Kind::kPrimary;
}

std::optional<size_t> UpstreamChoice::rival(uint64_t generation) const {
  if (generation == 0) return std::nullopt;
  for (size_t i = 0; i < addresses_.size(); ++i) {
    if (following() && i == present_) continue;
    if (addresses_[i].finding.rival_generation == generation) return i;
  }
  return std::nullopt;
}

const UpstreamFinding* UpstreamChoice::divergence(uint64_t own) const {
  const uint64_t known = known_generation(own);
  for (const Address& address : addresses_) {
    const Kind kind = address.finding.kind;
    if ((kind == Kind::kDiverged || kind == Kind::kConflict) && address.finding.generation >= known) {
      return &address.finding;
    }
  }
  return nullptr;
}

bool UpstreamChoice::knows_primary() const {
  return std::any_of(addresses_.begin(), addresses_.end(), [](const Address& address) { return address.was_primary; });
}

}  // namespace zrs::storage
