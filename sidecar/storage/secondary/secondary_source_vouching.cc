// A primary that has lost its state is told by its secondaries which database it is.
#include <algorithm>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "sidecar/replication/boundary_message.h"
#include "sidecar/storage/secondary/comparison/comparison_report.h"
#include "sidecar/storage/secondary/lateness.h"
#include "sidecar/storage/secondary/secondary_source.h"
#include "spdlog/spdlog.h"

namespace zrs::storage {
namespace {

// Between two comparisons with the same upstream; a restart tries again at once.
constexpr absl::Duration kLongestPause = absl::Hours(1);
constexpr char kRefutedRemedy[] =
    "both files are left as they are. Where this copy is the right one: zrs promote --force here. Where the upstream's "
    "is (a restored backup, say): zrs adopt --new-database on its host; then stop zrs here, move its state file away, "
    "the copy not, and start it again: it compares the two, and zrs resync saves beside what only this copy has, and "
    "goes on";
constexpr char kMayYetHaveAll[] =
    "none needed while the upstream's zrs looks through its file: it is asked again; later: ";

}  // namespace

// One that has only given itself an identity may be a copy of a lost primary's file beside the right primary. Where a
// single address leads to it there is nobody else to follow; else the right one has to be none of the others. A
// person's word is enough anywhere.
std::optional<SecondarySource::Asked> SecondarySource::AskedBySome() const {
  std::optional<Asked> found;
  for (size_t i = 0; i < options_.upstreams.size(); ++i) {
    const UpstreamFinding& finding = search_.choice().finding(i);
    if (finding.takes_identity == v1::End::TAKES_IDENTITY_AS_TOLD) {
      return Asked{options_.upstreams[i], finding.takes_identity, finding.why};
    }
    if (IsSilent(finding) || MayBePrimary(finding)) return std::nullopt;
    if (finding.takes_identity == v1::End::TAKES_IDENTITY_NO) continue;
    if (found) return std::nullopt;
    found = Asked{options_.upstreams[i], finding.takes_identity, finding.why};
  }
  return found;
}

bool SecondarySource::VouchIfAsked() {
  const std::optional<Asked> asked = std::exchange(asked_, std::nullopt);
  if (!asked || asked->takes_identity == v1::End::TAKES_IDENTITY_NO || stopping_ || comparisons_.purpose())
    return false;
  if (!copy_.magic || copy_.committed.last_offset == 0 || state_ == SecondaryState::kDiskFull) return false;
  // What it is, is not for this one to say: a person took its promotion back, or a later one is known.
  if (copy_.yields || search_.choice().known_generation(OwnGeneration()) > OwnGeneration()) return false;
  const bool again = asked->refusal == vouched_.refusal;
  if (again && runtime_.Now() < vouched_.until) return false;
  if (!again) {
    vouched_ = {asked->refusal, "", "", {}, options_.refused_delay};
    spdlog::info("storage {}: {} asks which database its file is: all of {} is compared with it", options_.name,
                 asked->address, options_.path);
  }
  Comparisons::Wish wish = WishFor(Comparisons::Purpose::kVouch);
  wish.lineage.Clear();
  wish.check = [this](const InspectedFile& upstream) {
    if (upstream.end.offset >= copy_.committed.offset) return absl::OkStatus();
    return absl::FailedPreconditionError(
        absl::StrCat("its file, as far as it has looked, has less than this copy, which goes to ",
                     replication::DescribePosition(copy_.committed)));
  };
  wish.vouch = [this] {
    v1::Vouch vouch;
    *vouch.mutable_lineage() = copy_.lineage;
    *vouch.mutable_position() = replication::ToProto(copy_.committed);
    return vouch;
  };
  wish.done = [this, asked = *asked](const absl::StatusOr<ComparisonResult>& result) { OnVouched(asked, result); };
  comparisons_.Run(asked->address, std::move(wish));
  events_.changed();
  return true;
}

void SecondarySource::OnVouched(const Asked& asked, const absl::StatusOr<ComparisonResult>& result) {
  if (stopping_) return;
  if (absl::IsInternal(result.status())) {
    return Fail(std::string(result.status().message()), RemedyOfLocalError(result.status()));
  }
  if (result.ok() && !result->differs()) {
    // Whether it is so, its next welcome tells.
    vouched_.trouble.clear();
    spdlog::info("storage {}: {} has all of {}, and was told which database it is", options_.name, asked.address,
                 options_.path);
  } else if (result.ok()) {
    const v1::Comparison report = ReportOf(*result, copy_.committed.offset, runtime_.UnixNow());
    vouched_.trouble = absl::StrCat("they were compared, and are not the same: ", Describe(report));
    vouched_.remedy = NamingStateFile(kRefutedRemedy, options_.state_path);
    vouched_.pause = kLongestPause;
  } else {
    vouched_.trouble = std::string(result.status().message());
    vouched_.remedy = absl::IsFailedPrecondition(result.status())
                          ? absl::StrCat(kMayYetHaveAll, NamingStateFile(kRefutedRemedy, options_.state_path))
                          : "";
  }
  vouched_.until = runtime_.Now() + vouched_.pause;
  vouched_.pause = std::min(2 * vouched_.pause, kLongestPause);
  // Whatever came of it is told when the upstream has answered.
  retry_ = runtime_.After(backoff_.Next(runtime_.Random()), [this] { Seek(); });
  events_.changed();
}

std::string SecondarySource::VouchTrouble(const std::string& refusal) const {
  return vouched_.trouble.empty() || refusal != vouched_.refusal ? "" : absl::StrCat("; ", vouched_.trouble);
}

std::string SecondarySource::VouchRemedy(const std::string& refusal, const std::string& otherwise) const {
  return vouched_.remedy.empty() || VouchTrouble(refusal).empty() ? otherwise : vouched_.remedy;
}

}  // namespace zrs::storage
