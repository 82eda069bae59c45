// Asks a publisher about the committed bytes of its file, by a stream of its own.
#ifndef ZRS_SIDECAR_STORAGE_SECONDARY_COMPARISON_UPSTREAM_INSPECTOR_H_
#define ZRS_SIDECAR_STORAGE_SECONDARY_COMPARISON_UPSTREAM_INSPECTOR_H_

#include <cstdint>
#include <memory>
#include <string>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "filestorage/boundary.h"
#include "filestorage/digest.h"
#include "filestorage/format.h"
#include "filestorage/transaction_probe.h"
#include "proto/zrs/v1/replication.pb.h"
#include "sidecar/replication/follower_session.h"
#include "sidecar/runtime/runtime.h"
#include "sidecar/transport/message_stream.h"

namespace zrs::storage {

// What the publisher serves, when it was asked first.
struct InspectedFile {
  v1::Lineage lineage;
  filestorage::Magic magic = filestorage::Magic::kFs30;
  filestorage::Boundary end;  // committed, durable
  bool secondary = false;     // it is a copy itself
};

// Everything on the strand. One question at a time, each answered once, unless Close came before. Errors: Unavailable
// where the connection broke, carries nothing for kPatience, or the publisher has nothing to serve now: it may be asked
// again; FailedPrecondition where it refuses to answer, with what to do; InvalidArgument for what no publisher says.
class UpstreamInspector : public std::enable_shared_from_this<UpstreamInspector> {
 public:
  // What four ask at a time, 64 MB of a transaction each, takes less than half of it at an inspect-rate of 200 KB.
  static constexpr absl::Duration kPatience = absl::Hours(1);

  template <typename T>
  using Answer = absl::AnyInvocable<void(absl::StatusOr<T>)>;

  // `lineage`: of the database that the publisher's is to be of; an empty one: of any.
  UpstreamInspector(runtime::Runtime& runtime, const replication::FollowerOptions& options, const v1::Lineage& lineage,
                    std::shared_ptr<transport::FollowerStream> stream);

  // `broken`: the connection is lost while nothing is asked.
  void Start(Answer<InspectedFile> ready, absl::AnyInvocable<void(const absl::Status&)> broken);
  // Of the bytes from `begin` to `end`, which is past it and not past what is committed.
  void AskDigest(uint64_t begin, uint64_t end, Answer<filestorage::Digest> answer);
  // The committed transaction that begins at `begin`, a boundary below the committed end. DataLoss, with the reason,
  // where there is none that is sound.
  void AskTransaction(uint64_t begin, Answer<filestorage::ProbedTransaction> answer);
  // The last question: OK where the publisher has taken what it was told of its file. Else errors as above.
  void Vouch(v1::Vouch vouch, absl::AnyInvocable<void(absl::Status)> taken);
  // Nothing is answered from here on.
  void Close();

 private:
  class Events;
  // One at a time: the next one once it is answered, or has waited for that too long.
  void Ask(v1::FollowerMessage message);
  void Send(v1::FollowerMessage message);
  void OnOpen();
  void OnWritten();
  void OnMessage(const v1::PublisherMessage& message);
  void OnClosed(const absl::Status& status);
  void TakeMessage(const v1::PublisherMessage& message);
  void TakeWelcome(const v1::Welcome& welcome);
  void TakeDigest(const v1::RangeDigest& digest);
  void TakeTransaction(const v1::FoundTransaction& found);
  void Fail(const absl::Status& status);

  runtime::Runtime& runtime_;
  v1::Hello hello_;
  std::shared_ptr<transport::FollowerStream> stream_;
  bool writing_ = false;
  v1::FollowerMessage next_;  // to be written when the one before is
  absl::Status failed_;
  Answer<InspectedFile> ready_;
  absl::AnyInvocable<void(const absl::Status&)> broken_;
  v1::DigestRequest asked_;  // of the digest that is waited for
  Answer<filestorage::Digest> digest_;
  uint64_t asked_transaction_ = 0;
  Answer<filestorage::ProbedTransaction> transaction_;
  absl::AnyInvocable<void(absl::Status)> vouched_;
  std::unique_ptr<runtime::Timer> patience_;  // while something is asked
};

}  // namespace zrs::storage

#endif  // ZRS_SIDECAR_STORAGE_SECONDARY_COMPARISON_UPSTREAM_INSPECTOR_H_
