#include "sidecar/storage/secondary/comparison/comparisons.h"

#include <utility>

#include "sidecar/storage/status_fields.h"

namespace zrs::storage {
namespace {

const char* NameOf(Comparisons::Purpose purpose) {
  switch (purpose) {
    case Comparisons::Purpose::kAdopt:
      return "adopt";
    case Comparisons::Purpose::kLocate:
      return "locate";
    case Comparisons::Purpose::kCompare:
      return "compare";
    case Comparisons::Purpose::kResync:
      return "resync";
    case Comparisons::Purpose::kScrub:
      return "scrub";
    case Comparisons::Purpose::kVouch:
      return "vouch";
  }
  return "compare";
}

}  // namespace

Comparisons::Comparisons(const StorageOptions& options, runtime::Runtime& runtime, transport::Dialer& dialer)
    : options_(options), runtime_(runtime), dialer_(dialer) {}

void Comparisons::Run(const std::string& address, Wish wish) {
  Cancel("another comparison took its place");
  replication::FollowerOptions hello;
  hello.storage = options_.source_name;
  hello.follower_name = options_.name;
  hello.node_id = options_.node_id;
  hello.software = options_.software;
  auto upstream = std::make_shared<UpstreamInspector>(runtime_, hello, wish.lineage, dialer_.Dial(address));
  purpose_ = wish.purpose;
  wanted_ = std::move(wish.wanted);
  done_ = std::move(wish.done);
  began_ = runtime_.Now();
  comparison_ = std::make_shared<CopyComparison>(
      runtime_, std::move(wish.file), wish.from, wish.rate, std::move(upstream),
      CopyComparison::Hooks{std::move(wish.check), std::move(wish.vouch),
                            [this](absl::StatusOr<ComparisonResult> result) { End(std::move(result)); }});
  comparison_->Start();
}

void Comparisons::End(absl::StatusOr<ComparisonResult> result) {
  comparison_.reset();
  wanted_ = nullptr;
  std::exchange(done_, nullptr)(std::move(result));
}

void Comparisons::Cancel(const std::string& why) {
  if (!comparison_) return;
  comparison_->Cancel();
  End(absl::CancelledError(why));
}

void Comparisons::Tick() {
  if (comparison_ && wanted_ && !wanted_()) Cancel("nobody waits for it any more");
}

std::optional<Comparisons::Purpose> Comparisons::purpose() const {
  if (!comparison_) return std::nullopt;
  return purpose_;
}

void Comparisons::FillStatus(v1::StorageStatus& status) const {
  if (!comparison_) return;
  v1::Checking& checking = *status.mutable_checking();
  checking.set_purpose(NameOf(purpose_));
  FillProgress({comparison_->start(), comparison_->position(), comparison_->end(), runtime_.Now() - began_},
               *checking.mutable_progress());
}

}  // namespace zrs::storage
