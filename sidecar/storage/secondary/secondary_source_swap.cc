// A packed file has taken the copy's place, or the copy goes on in another epoch.
#include <string>

#include "sidecar/replication/boundary_message.h"
#include "sidecar/replication/lineage.h"
#include "sidecar/storage/secondary/secondary_source.h"
#include "spdlog/spdlog.h"

namespace zrs::storage {

void SecondarySource::OnSwapped(const replication::SwapCopy& swap, const std::string& time) {
  copy_.lineage = upstream_->session().lineage();
  copy_.yields = false;
  copy_.magic = upstream_->session().magic();
  copy_.committed = swap.end;
  copy_.rebuild.reset();
  health_.OnReplaced();
  comparisons_.Cancel("a packed file took the copy's place");
  scrub_.OnReplaced();
  spdlog::info("storage {}: the packed file is in place, at {}", options_.name,
               replication::DescribePosition(copy_.committed));
  Publish();
  forget_old_ = runtime_.After(options_.old_file_time, [this] { writer_.ForgetOldFile(); });
  swap_command_.Run(time);
}

void SecondarySource::NoteSwapTold() {
  if (const std::optional<std::string> time = swap_command_.TakeEnded()) writer_.OnSwapTold(*time);
}

void SecondarySource::EnterEpoch(const v1::Lineage& lineage) {
  const v1::Epoch* before = replication::CurrentEpoch(copy_.lineage);
  const bool another = before == nullptr || before->id() != replication::CurrentEpoch(lineage)->id();
  if (another) scrub_.OnReplaced();
  // Followers have to know of the epoch before they get bytes of it.
  const bool told_anew = another && published_ && !stopping_;
  if (told_anew) {
    Withdraw(v1::End::REASON_REPLACED, "the primary here is another one now",
             "none needed: the follower comes back at once");
  }
  copy_.lineage = lineage;
  copy_.yields = false;
  if (told_anew) Publish();
}

}  // namespace zrs::storage
