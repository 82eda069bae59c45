#include "sidecar/storage/publisher/publisher_connection.h"

#include <utility>
#include <variant>

#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "filestorage/transaction_probe.h"
#include "sidecar/storage/overloaded.h"
#include "sidecar/storage/range_digest.h"
#include "sidecar/text/printable.h"

namespace zrs::storage {
namespace {

// A follower that comes back again and again has that long a line each time, whatever it says.
constexpr size_t kLongestReason = 300;
// Commits that are to be sent wait so long at most for one that only asks.
constexpr uint64_t kInspectedSlice = 1 << 20;

// Fewer only where the committed end is reached, which the session finds fault with.
absl::StatusOr<std::string> ReadUpTo(CommittedBytes& bytes, uint64_t offset, uint64_t size) {
  std::string buffer;
  buffer.resize(size);
  auto read = bytes.Read(offset, absl::MakeSpan(buffer.data(), buffer.size()));
  if (!read.ok()) return read.status();
  buffer.resize(*read);
  return buffer;
}

}  // namespace

// Carries the stream's events, which come on the transport's threads, to the strand.
class PublisherConnection::Events final : public transport::PublisherEvents {
 public:
  Events(runtime::Runtime& runtime, std::weak_ptr<PublisherConnection> connection)
      : runtime_(runtime), connection_(std::move(connection)) {}

  void OnOpen() override {}
  void OnMessage(v1::FollowerMessage message) override {
    runtime_.Post([weak = connection_, message = std::move(message)]() mutable {
      if (auto connection = weak.lock()) connection->OnStreamMessage(std::move(message));
    });
  }
  void OnWritten() override {
    runtime_.Post([weak = connection_] {
      if (auto connection = weak.lock()) connection->Perform(connection->session_.OnSent());
    });
  }
  void OnClosed(absl::Status status) override {
    runtime_.Post([weak = connection_, status = std::move(status)] {
      if (auto connection = weak.lock()) connection->OnStreamClosed(status);
    });
  }

 private:
  runtime::Runtime& runtime_;
  std::weak_ptr<PublisherConnection> connection_;
};

PublisherConnection::PublisherConnection(runtime::Runtime& runtime, CommittedBytes& bytes, PositionProbes& probes,
                                         replication::PublisherOptions options, replication::Publication publication,
                                         std::shared_ptr<transport::PublisherStream> stream, Hooks hooks)
    : runtime_(runtime),
      bytes_(bytes),
      probes_(probes),
      session_(options, std::move(publication)),
      stream_(std::move(stream)),
      hooks_(std::move(hooks)),
      peer_(stream_->peer()),
      connected_since_(runtime.UnixNow()) {}

PublisherConnection::Kind PublisherConnection::KindOf(const v1::Hello& hello) {
  if (hello.inspect()) return Kind::kInspects;
  return hello.look() ? Kind::kLooks : Kind::kFollows;
}

void PublisherConnection::Start(v1::Hello hello, std::function<void()> closed) {
  closed_hook_ = std::move(closed);
  kind_ = KindOf(hello);
  stream_->Start(std::make_shared<Events>(runtime_, weak_from_this()));
  v1::FollowerMessage message;
  *message.mutable_hello() = std::move(hello);
  Perform(session_.OnMessage(message));
}

void PublisherConnection::OnCommittedEnd(const filestorage::Boundary& end) { Perform(session_.OnCommittedEnd(end)); }

void PublisherConnection::OnHeartbeat(const v1::Heartbeat& heartbeat) { Perform(session_.OnHeartbeat(heartbeat)); }

void PublisherConnection::End(v1::End::Reason reason, const std::string& message, const std::string& remedy) {
  Perform(session_.OnEnd(reason, message, remedy));
  NoteLastSeen();
}

void PublisherConnection::Cancel(const std::string& why) {
  cancelled_ = why;
  NoteLastSeen();
  stream_->Cancel();
}

std::string PublisherConnection::WhyClosed() const {
  std::string why = "in order";
  if (session_.own_end()) {
    why = session_.own_end()->message();
  } else if (session_.follower_end()) {
    why = absl::StrCat("it said: ", session_.follower_end()->message());
  } else if (cancelled()) {
    why = cancelled_;
  } else if (!close_status_.ok()) {
    why = close_status_.ToString();
  }
  return text::Clean(why, kLongestReason);
}

void PublisherConnection::Perform(replication::PublisherEffects effects) {
  if (closed_) return;
  for (replication::PublisherEffect& effect : effects) {
    std::visit(Overloaded{
                   [this](replication::SendToFollower& send) { stream_->Write(std::move(send.message)); },
                   [this](replication::ReceiveFromFollower&) { stream_->Read(); },
                   [this](replication::ReadBytes& read) { Read(read.offset, read.size); },
                   [this](replication::ProbeBoundary& probe) { Probe(probe.boundary); },
                   [this](replication::ProbeOldPosition& probe) { ProbeOld(probe.position); },
                   [this](replication::DigestBytes& digest) { TakeDigest(digest.begin, digest.end); },
                   [this](replication::FindTransaction& find) { Find(find.begin); },
                   [this](replication::TakeIdentity& take) { OfferIdentity(take.lineage); },
                   [this](replication::CloseFollower&) { stream_->Close(); },
               },
               effect);
  }
  ReportSourceError();
}

void PublisherConnection::Read(uint64_t offset, uint64_t size) {
  if (const char* fresh = bytes_.Fresh(offset, size)) {
    return Perform(session_.OnBytes(offset, std::string(fresh, static_cast<size_t>(size))));
  }
  runtime_.PostIo([this, self = shared_from_this(), offset, size]() mutable {
    auto bytes = ReadUpTo(bytes_, offset, size);
    runtime_.Post([this, self = std::move(self), offset, bytes = std::move(bytes)]() mutable {
      Perform(session_.OnBytes(offset, std::move(bytes)));
    });
  });
}

void PublisherConnection::Probe(const filestorage::Boundary& boundary) {
  probes_.Find(boundary, {[this, self = shared_from_this()] { return waits_for_probe(); },
                          [this, self = shared_from_this()](absl::StatusOr<bool> matches) {
                            Perform(session_.OnProbed(std::move(matches)));
                            hooks_.progressed();  // it follows now, from where it is
                          }});
}

void PublisherConnection::ProbeOld(const replication::OldPosition& position) {
  probes_.FindOld(position, {[this, self = shared_from_this()] { return waits_for_probe(); },
                             [this, self = shared_from_this()](absl::StatusOr<bool> matches) {
                               Perform(session_.OnOldProbed(std::move(matches)));
                             }});
}

void PublisherConnection::TakeDigest(uint64_t begin, uint64_t end) {
  if (kind_ != Kind::kInspects) return TakeDigestNow(begin, end);
  question_timer_ = runtime_.After(hooks_.inspecting(end - begin), [this, begin, end] { TakeDigestNow(begin, end); });
}

void PublisherConnection::TakeDigestNow(uint64_t begin, uint64_t end) {
  RangeToDigest range{begin, end, [this](uint64_t offset, absl::Span<char> out) { return bytes_.Read(offset, out); },
                      [this] { return !closed_; }};
  if (kind_ == Kind::kInspects) range.slice = kInspectedSlice;
  DigestRange(runtime_, std::move(range),
              [this, self = shared_from_this()](absl::StatusOr<filestorage::Digest> digest) {
                Perform(session_.OnDigested(std::move(digest)));
              });
}

bool PublisherConnection::waits_for_probe() const {
  return !closed_ && !cancelled() && session_.state() == replication::PublisherSession::State::kHandshake;
}

// How much there is to read is known only once it was read.
void PublisherConnection::Find(uint64_t begin) {
  question_timer_ = runtime_.After(hooks_.inspecting(0), [this, begin] { FindNow(begin); });
}

void PublisherConnection::FindNow(uint64_t begin) {
  runtime_.PostIo([this, self = shared_from_this(), begin]() mutable {
    uint64_t read = 0;
    auto found = filestorage::ProbeTransaction(
        [this, &read](uint64_t offset, absl::Span<char> out) {
          read += out.size();
          return bytes_.Read(offset, out);
        },
        begin);
    runtime_.Post([this, self = std::move(self), read, found = std::move(found)]() mutable {
      hooks_.inspecting(read);
      Perform(session_.OnFound(std::move(found)));
    });
  });
}

void PublisherConnection::OfferIdentity(const v1::Lineage& lineage) {
  hooks_.take_identity(lineage, [self = shared_from_this()](const absl::Status& taken) {
    self->Perform(self->session_.OnIdentityTaken(taken));
  });
}

void PublisherConnection::OnStreamMessage(v1::FollowerMessage message) {
  Perform(session_.OnMessage(message));
  hooks_.progressed();
}

void PublisherConnection::OnStreamClosed(const absl::Status& status) {
  if (closed_) return;
  closed_ = true;
  question_timer_.reset();
  close_status_ = status;
  NoteLastSeen();
  stream_.reset();
  // The hook lets go of the connection: it must outlive its own member function.
  const auto self = shared_from_this();
  closed_hook_();
}

// Whoever comes back by another stream is seen there: what this one knew is not to be said after that.
void PublisherConnection::NoteLastSeen() {
  if (std::exchange(last_seen_noted_, true)) return;
  if (auto follower = session_.last_seen()) hooks_.last_seen(*std::move(follower));
}

void PublisherConnection::ReportSourceError() {
  if (source_error_reported_ || session_.source_error().ok()) return;
  source_error_reported_ = true;
  hooks_.failed(session_.source_error());
}

}  // namespace zrs::storage
