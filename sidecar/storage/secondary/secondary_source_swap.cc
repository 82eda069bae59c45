// A packed file has taken the copy's place.
#include <string>

#include "sidecar/replication/boundary_message.h"
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

}  // namespace zrs::storage
