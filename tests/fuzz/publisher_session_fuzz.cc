// A follower that says anything, in any order, while the file grows: the session asks for one thing at a time, sends
// only committed bytes, each once and in order, and counts nothing as durable that it did not send.
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "filestorage/digest.h"
#include "sidecar/replication/boundary_message.h"
#include "tests/fuzz/input.h"
#include "tests/fuzz/mutate.h"
#include "tests/fuzz/one_input.h"
#include "tests/sidecar/replication/drivers.h"
#include "tests/sidecar/replication/fixtures.h"
#include "tests/support/file_builder.h"

namespace zrs::fuzz {
namespace {

using filestorage::Boundary;
using replication::Id;
using replication::PublisherDriver;

constexpr size_t kTransactions = 12;

const tests::FileBuilder& TheFile() {
  static const auto* const file = new tests::FileBuilder(tests::FileBuilder().AddMany(kTransactions, 150));
  return *file;
}

class Run {
 public:
  explicit Run(Input input) : input_(input), committed_(input_.Below(kTransactions + 1)) {
    replication::PublisherOptions options;
    options.batch_size = 1 + input_.Below(800);
    options.read_ahead = static_cast<uint32_t>(1 + input_.Below(3));
    replication::Publication publication{replication::FirstLineage(), TheFile().magic(), end(), 0640};
    if (input_.Below(4) == 0) AddReplaced(publication.lineage);
    publisher_ = std::make_unique<PublisherDriver>(options, std::move(publication));
    publisher_->receiving = true;
  }

  void Steps() {
    while (!input_.done() && !publisher_->closed) Step();
  }

 private:
  const Boundary& end() const { return TheFile().boundaries()[committed_]; }
  static void AddReplaced(v1::Lineage& lineage) {
    v1::Epoch epoch = lineage.epochs(0);
    epoch.set_id(Id('b'));
    epoch.set_origin(v1::Epoch::ORIGIN_REPLACED);
    *epoch.mutable_left() = replication::ToProto(TheFile().boundaries()[3]);
    *lineage.add_epochs() = epoch;
  }

  void Step() {
    switch (input_.Below(8)) {
      case 0:
        if (publisher_->sending) CheckSent(publisher_->Sent());
        return;
      case 1:
        return Grow();
      case 2:
        return AnswerRead();
      case 3:
        return AnswerQuestions();
      default:
        if (publisher_->receiving) publisher_->Receive(Message());
    }
    EXPECT_LE(publisher_->session.acknowledged_offset(), std::max(publisher_->session.sent_offset(), start_));
  }

  void CheckSent(const v1::PublisherMessage& message) {
    if (message.has_welcome()) next_ = start_ = message.welcome().start().offset();
    if (!message.has_batch()) return;
    const std::string& data = message.batch().data();
    EXPECT_EQ(message.batch().offset(), next_);
    next_ += data.size();
    EXPECT_LE(next_, end().offset);
    EXPECT_EQ(data, TheFile().bytes().substr(static_cast<size_t>(message.batch().offset()), data.size()));
  }

  void Grow() {
    if (input_.Below(3) == 0) {
      return publisher_->Do(publisher_->session.OnHeartbeat(replication::HeartbeatOf(end().offset, {Id('p')})));
    }
    if (committed_ == kTransactions) return;
    ++committed_;
    publisher_->Do(publisher_->session.OnCommittedEnd(end()));
  }

  void AnswerRead() {
    if (publisher_->reads.empty()) return;
    const auto read = publisher_->reads.begin() + static_cast<std::ptrdiff_t>(input_.Below(publisher_->reads.size()));
    const replication::ReadBytes asked = *read;
    publisher_->reads.erase(read);
    EXPECT_LE(asked.offset + asked.size, end().offset);
    absl::StatusOr<std::string> bytes =
        TheFile().bytes().substr(static_cast<size_t>(asked.offset), static_cast<size_t>(asked.size));
    if (input_.Below(50) == 0) bytes = absl::DataLossError("unreadable");
    publisher_->Do(publisher_->session.OnBytes(asked.offset, std::move(bytes)));
  }

  void AnswerQuestions() {
    const auto& all = TheFile().boundaries();
    if (publisher_->probe) {
      const Boundary asked = *std::exchange(publisher_->probe, std::nullopt);
      publisher_->Do(publisher_->session.OnProbed(std::find(all.begin(), all.end(), asked) != all.end()));
    } else if (publisher_->probe_old) {
      const Boundary asked = std::exchange(publisher_->probe_old, std::nullopt)->boundary;
      publisher_->Do(publisher_->session.OnOldProbed(std::find(all.begin(), all.end(), asked) != all.end()));
    } else if (publisher_->digest) {
      const replication::DigestBytes asked = *std::exchange(publisher_->digest, std::nullopt);
      EXPECT_LE(asked.begin, asked.end);
      EXPECT_LE(asked.end, end().offset);
      publisher_->Do(publisher_->session.OnDigested(filestorage::DigestOf(
          TheFile().bytes().substr(static_cast<size_t>(asked.begin), static_cast<size_t>(asked.end - asked.begin)))));
    }
  }

  v1::FollowerMessage Message() {
    v1::FollowerMessage message;
    const size_t kind = input_.Below(10);
    if (kind == 0) {
      (void)message.ParseFromString(std::string(input_.Bytes(300)));
      return message;
    }
    if (kind <= 4) {
      *message.mutable_hello() = Hello();
    } else if (kind <= 7) {
      const uint64_t acknowledged = publisher_->session.acknowledged_offset();
      message.mutable_acknowledge()->set_durable_offset(input_.Flip() ? publisher_->session.sent_offset()
                                                                      : acknowledged + input_.Below(300));
    } else {
      message.mutable_digest_request()->set_begin(input_.Below(200));
      message.mutable_digest_request()->set_end(input_.Flip() ? publisher_->session.sent_offset() : input_.Below(5000));
    }
    if (input_.Below(4) == 0) Mutate(input_, message);
    return message;
  }

  v1::Hello Hello() {
    const size_t have = input_.Below(kTransactions + 2);
    v1::Hello hello = replication::HelloAt(have == 0 ? Boundary{} : TheFile().boundaries()[have - 1]);
    if (input_.Below(3) == 0) {
      *hello.mutable_rebuild()->mutable_lineage() = replication::FirstLineage();
      AddReplaced(*hello.mutable_rebuild()->mutable_lineage());
      *hello.mutable_rebuild()->mutable_position() =
          replication::ToProto(TheFile().boundaries()[input_.Below(kTransactions + 1)]);
    }
    return hello;
  }

  Input input_;
  size_t committed_;
  uint64_t next_ = 0;
  uint64_t start_ = 0;
  std::unique_ptr<PublisherDriver> publisher_;
};

}  // namespace
}  // namespace zrs::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  zrs::fuzz::Run(zrs::fuzz::Input(data, size)).Steps();
  return 0;
}
