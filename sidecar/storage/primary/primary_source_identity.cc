// Which database a primary's file is: taken from a follower that proves it, or as a person says.
#include <utility>

#include "absl/strings/str_cat.h"
#include "sidecar/replication/end_message.h"
#include "sidecar/replication/id.h"
#include "sidecar/storage/identity.h"
#include "sidecar/storage/primary/primary_source.h"
#include "spdlog/spdlog.h"

namespace zrs::storage {

v1::End::TakesIdentity PrimarySource::takes_identity() const {
  return published_ && state_ ? state_->takes_identity : v1::End::TAKES_IDENTITY_NO;
}

void PrimarySource::TakeIdentity(const v1::Lineage& lineage, absl::AnyInvocable<void(absl::Status)> taken) {
  if (takes_identity() == v1::End::TAKES_IDENTITY_NO || stopping_) {
    return taken(absl::FailedPreconditionError("it takes none any more"));
  }
  // Of two that come at once it is the first one's.
  const auto before = std::exchange(state_->takes_identity, v1::End::TAKES_IDENTITY_NO);
  runtime_.PostIo([this, lineage, before, taken = std::move(taken)]() mutable {
    absl::Status saved = file_.TakeIdentity(lineage);
    runtime_.Post([this, lineage, before, saved = std::move(saved), taken = std::move(taken)]() mutable {
      if (saved.ok()) {
        OnIdentityTaken(lineage);
      } else {
        spdlog::warn("storage {}: the identity that a follower has proved is not taken: {}; it is tried again",
                     options_.name, saved.ToString());
        state_->takes_identity = before;
      }
      taken(std::move(saved));
    });
  });
}

void PrimarySource::OnIdentityTaken(const v1::Lineage& lineage) {
  state_->lineage = lineage;
  spdlog::info(
      "storage {}: a follower, all of whose file is in {}, has proved that it is database {}: it is that again",
      options_.name, options_.path, replication::DescribeId(lineage.database_id()));
  if (!published_) return;
  events_.withdrawn(replication::MakeEnd(v1::End::REASON_REPLACED, "the primary has its database's identity back",
                                         "none needed: the follower comes back at once"));
  if (!scanning_) return Publish();
  // Who is known again comes back with a position that only the whole scan can confirm.
  published_ = false;
  heartbeat_.reset();
  events_.changed();
}

// It is another one's too from now on: to exchange it would leave that one alone.
void PrimarySource::OnIdentityShared() {
  if (takes_identity() == v1::End::TAKES_IDENTITY_NO) return;
  state_->takes_identity = v1::End::TAKES_IDENTITY_NO;
  runtime_.PostIo([this] {
    absl::Status saved = file_.SettleIdentity();
    if (saved.ok()) return;
    spdlog::warn("storage {}: {}; that a follower has its identity is found again after the next start", options_.name,
                 saved.ToString());
  });
}

absl::Status PrimarySource::CheckAdoptable(v1::AdoptRequest::As as) const {
  if (superseded_) {
    return absl::FailedPreconditionError(
        "there is another primary: zrs promote --force makes this one the right one, and replicate-from its secondary");
  }
  if (as == v1::AdoptRequest::AS_RESTORED && !pending_) {
    return absl::FailedPreconditionError(
        "nothing is in the place of the file that is known: --restored is for a primary that zrs status calls "
        "diverged");
  }
  if (as == v1::AdoptRequest::AS_RESTORED && (!diverged_ || proving_)) {
    return absl::FailedPreconditionError(
        "it is being looked through, whether it is a pack of the one before: type it again in a moment, once "
        "zrs status calls it diverged");
  }
  if (as == v1::AdoptRequest::AS_PROVED && pending_) {
    return absl::FailedPreconditionError(
        "another file is in the place of the one that is known; zrs status tells more. Put the right one back, or say "
        "--restored where the present one is to be what counts");
  }
  return absl::OkStatus();
}

void PrimarySource::Adopt(v1::AdoptRequest::As as, absl::AnyInvocable<void(absl::StatusOr<std::string>)> done) {
  if (absl::Status may = CheckAdoptable(as); !may.ok()) return done(std::move(may));
  runtime_.PostIo([this, as, id = RandomId(runtime_), done = std::move(done)]() mutable {
    absl::StatusOr<std::string> adopted = as == v1::AdoptRequest::AS_RESTORED
                                              ? file_.AdoptRestored(id)
                                              : file_.Adopt(as == v1::AdoptRequest::AS_NEW_DATABASE);
    runtime_.Post([done = std::move(done), adopted = std::move(adopted)]() mutable { done(std::move(adopted)); });
  });
}

}  // namespace zrs::storage
