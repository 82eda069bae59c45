#include "sidecar/storage/secondary/upstream_search.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "sidecar/storage/identity.h"

namespace zrs::storage {

using Kind = UpstreamFinding::Kind;

UpstreamSearch::UpstreamSearch(const StorageOptions& options, const StorageServices& services,
                               std::function<void()> found)
    : options_(options),
      services_(services),
      runtime_(services.runtime),
      found_(std::move(found)),
      choice_(options.upstreams.size()),
      looks_(options.upstreams.size()) {}

void UpstreamSearch::Look(const replication::Copy& copy) {
  choice_.BeginRound();
  for (size_t i = 0; i < looks_.size(); ++i) {
    if (connected_ && i == choice_.present()) continue;
    if (!looks_[i]) LookAt(i, copy);
  }
  ScheduleLook();
}

void UpstreamSearch::LookNowAndThen(const replication::Copy& copy) {
  if (several() && connected_ && choice_.following() && runtime_.Now() >= next_look_) Look(copy);
}

void UpstreamSearch::LookAt(size_t address, const replication::Copy& copy) {
  if (node_id_.empty()) node_id_ = RandomId(runtime_);
  replication::FollowerOptions hello;
  hello.storage = options_.source_name;
  hello.follower_name = options_.name;
  hello.node_id = node_id_;
  hello.software = options_.software;
  looks_[address] = std::make_shared<UpstreamLook>(
      runtime_, hello, copy, services_.dialer.Dial(options_.upstreams[address]),
      [this, address](UpstreamFinding finding) { OnFound(address, std::move(finding)); });
  looks_[address]->Start();
}

void UpstreamSearch::OnFound(size_t address, UpstreamFinding finding) {
  looks_[address].reset();
  choice_.OnFound(address, std::move(finding), runtime_.Now());
  const Kind kind = choice_.finding(address).kind;
  if (!connected_ && (kind == Kind::kPrimary || kind == Kind::kSecondary)) {
    enough_ = runtime_.After(UpstreamChoice::kOthersMayAnswer, [this] { found_(); });
  }
  found_();
}

void UpstreamSearch::Stop() {
  enough_.reset();
  for (auto& look : looks_) look.reset();
}

void UpstreamSearch::ScheduleLook() {
  const auto part = static_cast<double>(runtime_.Random() % 1000) / 1000;  // of half the interval
  next_look_ = runtime_.Now() + kLookInterval * (0.75 + part / 2);
}

void UpstreamSearch::Remember(const std::string& address) {
  for (size_t i = 0; i < options_.upstreams.size(); ++i) {
    if (options_.upstreams[i] == address) return choice_.OnConnecting(i);
  }
}

void UpstreamSearch::OnConnecting(size_t address) {
  connected_ = true;
  enough_.reset();
  looks_[address].reset();
  choice_.OnConnecting(address);
}

void UpstreamSearch::OnFollowing(uint64_t generation, bool secondary) {
  const bool begins = !choice_.following();
  choice_.OnFollowing(generation, secondary);
  // Among the others may be the primary of before, which is to hear of this one.
  if (begins) next_look_ = std::min(next_look_, runtime_.Now() + absl::Seconds(1));
}

void UpstreamSearch::OnLost() {
  connected_ = false;
  lost_ = runtime_.Now();
  choice_.OnLost(lost_);
}

std::string UpstreamSearch::WhyNot(size_t address) const {
  const UpstreamFinding& finding = choice_.finding(address);
  if (!finding.why.empty()) return finding.why;
  if (choice_.turned_away(address, runtime_.Now())) {
    return "it has turned this follower away just now; zrs status there tells why";
  }
  const char* role = finding.kind == Kind::kPrimary ? "primary" : "secondary";
  const uint64_t known = choice_.known_generation(0);
  if (finding.generation < known) {
    return absl::StrCat("a stale ", role, ": it is of generation ", finding.generation, ", and there is one of ",
                        known);
  }
  if (finding.kind == Kind::kSecondary && !choice_.following()) return "a secondary, and a primary was lost just now";
  return absl::StrCat("a ", role, " of the same generation",
                      finding.kind == Kind::kPrimary ? ": it would do as well" : ", followed when the primary is gone");
}

std::string UpstreamSearch::Describe() const {
  std::vector<std::string> parts;
  for (size_t i = 0; i < looks_.size(); ++i) parts.push_back(absl::StrCat(options_.upstreams[i], ": ", WhyNot(i)));
  return absl::StrJoin(parts, "; ");
}

std::optional<absl::Status> UpstreamSearch::JudgeOthers(absl::Duration since, absl::Duration most,
                                                        bool in_order) const {
  since = std::max(since, lost_);
  bool waits = false;
  for (size_t i = 0; i < looks_.size(); ++i) {
    if (connected_ && i == choice_.present()) continue;
    if (choice_.found_at(i) < since) {
      waits = waits || runtime_.Now() - since < most;
      continue;
    }
    const UpstreamFinding& finding = choice_.finding(i);
    const bool stale = finding.generation > 0 && finding.generation < choice_.known_generation(0);
    if (MayBePrimary(finding) && !stale) {
      return absl::FailedPreconditionError(absl::StrCat(
          options_.upstreams[i], ", which it may follow, can be reached (",
          finding.why.empty() ? "it is a primary of this database" : absl::StrCat("it says: ", finding.why),
          "), and a second primary would be one too many. With --force it is promoted all the same"));
    }
    if (finding.kind == Kind::kSecondary && !stale && !in_order) {
      if (runtime_.Now() - since < kHearsay) {
        waits = true;
        continue;
      }
      return absl::FailedPreconditionError(
          absl::StrCat(options_.upstreams[i],
                       ", a secondary, hears its primary, which so is there, and a second one would be one too many. "
                       "With --force it is promoted all the same"));
    }
  }
  if (waits) return std::nullopt;
  return absl::OkStatus();
}

void UpstreamSearch::FillStatus(v1::Upstream& status) const {
  if (!several()) return;
  for (size_t i = 0; i < looks_.size(); ++i) {
    if (i == choice_.present()) continue;
    v1::OtherUpstream* other = status.add_others();
    other->set_address(options_.upstreams[i]);
    other->set_why_not(WhyNot(i));
  }
}

}  // namespace zrs::storage
