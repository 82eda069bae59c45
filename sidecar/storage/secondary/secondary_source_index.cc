// The index beside the copy, and what holds both as they are.
#include <utility>

#include "sidecar/storage/secondary/secondary_source.h"
#include "spdlog/spdlog.h"

namespace zrs::storage {

void SecondarySource::TendIndex() {
  if (state_ != SecondaryState::kFollowing || !upstream_ || writer_.paused() || resync_ || !copy_.magic) return;
  const replication::FollowerSession& session = upstream_->session();
  if (session.state() != replication::FollowerSession::State::kStreaming || session.rebuilding()) return;
  index_.Tick(copy_.committed.offset);
}

void SecondarySource::Pause(absl::AnyInvocable<void()> held) {
  spdlog::info("storage {}: paused", options_.name);
  health_.OnPaused();
  index_.Cancel();
  writer_.Pause([this, held = std::move(held)]() mutable { index_.WhenIdle(std::move(held)); });
}

void SecondarySource::Resume() {
  if (!writer_.paused()) return;
  spdlog::info("storage {}: resumed", options_.name);
  health_.OnResumed();
  writer_.Resume();
}

}  // namespace zrs::storage
