// A publisher that says anything, in any order, to a follower whose disk may fail: the session asks for one thing at a
// time, and what it has written and committed is always a sound file that ends where it says.
#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "filestorage/scanner.h"
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
using filestorage::FirstBoundary;
using filestorage::Magic;
using filestorage::Scanner;
using replication::Copy;
using replication::FollowerDriver;
using replication::Id;

constexpr size_t kTransactions = 12;

const tests::FileBuilder& TheFile() {
  static const auto* const file = new tests::FileBuilder(tests::FileBuilder().AddMany(kTransactions, 150));
  return *file;
}

class Run {
 public:
  explicit Run(Input input) : input_(input), live_(Start()) {
    replication::FollowerOptions options;
    options.node_id = Id('f');
    options.queue_limit = 3000;
    options.group_limit = 5000;
    options.largest_batch = 1000;
    follower_ = std::make_unique<FollowerDriver>(options, copy_);
    follower_->Do(follower_->session.OnOpen());
  }

  void Steps() {
    while (!input_.done() && !follower_->closed) Step();
    while (follower_->writing) Write(absl::OkStatus());
  }

 private:
  // What the follower begins with: nothing, a part of the file, perhaps a part of another one beside it.
  std::string Start() {
    const size_t have = input_.Below(kTransactions + 2);
    if (have == 0) return "";
    const Boundary& end = TheFile().boundaries()[have - 1];
    copy_ = {.lineage = replication::FirstLineage(), .magic = Magic::kFs30, .committed = end};
    if (input_.Flip()) {
      replication::RebuildCopy rebuild{.lineage = NextLineage(), .committed = {}};
      const size_t beside = input_.Below(kTransactions + 1);
      if (input_.Flip()) rebuild.committed = TheFile().boundaries()[beside];
      beside_ = TheFile().bytes().substr(0, static_cast<size_t>(rebuild.committed.offset));
      copy_.rebuild = rebuild;
    }
    return TheFile().bytes().substr(0, static_cast<size_t>(end.offset));
  }
  static v1::Lineage NextLineage() {
    v1::Lineage lineage = replication::FirstLineage();
    v1::Epoch& epoch = *lineage.add_epochs();
    epoch = lineage.epochs(0);
    epoch.set_id(Id('b'));
    epoch.set_origin(v1::Epoch::ORIGIN_REPLACED);
    epoch.set_generation(1);
    *epoch.mutable_left() = replication::ToProto(TheFile().boundaries()[3]);
    return lineage;
  }

  void Step() {
    switch (input_.Below(8)) {
      case 0:
        if (follower_->sending) follower_->Sent();
        return;
      case 1:
        return follower_->Do(input_.Below(30) == 0 ? follower_->session.OnStop() : follower_->session.OnKeepAlive());
      case 2:
        if (follower_->writing) Write(Outcome());
        return;
      case 3:
        return AnswerRest();
      default:
        if (follower_->receiving) follower_->Receive(Message());
    }
  }

  absl::Status Outcome() {
    return input_.Below(20) == 0 ? absl::ResourceExhaustedError("the disk is full") : absl::OkStatus();
  }

  void AnswerRest() {
    if (follower_->creating) {
      const auto create = *std::exchange(follower_->creating, std::nullopt);
      live_ = std::string(filestorage::MagicBytes(create.magic));
      follower_->Do(follower_->session.OnCreated(Outcome()));
    } else if (follower_->adopting) {
      follower_->adopting.reset();
      follower_->Do(follower_->session.OnCreated(absl::OkStatus()));
    } else if (follower_->preparing) {
      const auto prepare = *std::exchange(follower_->preparing, std::nullopt);
      if (prepare.start.offset <= filestorage::kMagicSize)
        beside_ = std::string(filestorage::MagicBytes(prepare.magic));
      EXPECT_GE(beside_.size(), prepare.start.offset);
      beside_.resize(static_cast<size_t>(prepare.start.offset));
      building_ = true;
      follower_->Do(follower_->session.OnCreated(Outcome()));
    } else if (follower_->proving && !follower_->writing) {
      const auto prove = *std::exchange(follower_->proving, std::nullopt);
      replication::RebuildProof proof{.digest = filestorage::DigestOf(beside_.substr(0, prove.end.offset)),
                                      .objection = input_.Flip() ? "" : "no pack"};
      follower_->Do(follower_->session.OnRebuildProved(std::move(proof)));
    } else if (follower_->swapping) {
      const auto swap = *std::exchange(follower_->swapping, std::nullopt);
      EXPECT_EQ(swap.end.offset, beside_.size());
      live_ = beside_;
      building_ = false;
      follower_->Do(follower_->session.OnSwapped(Outcome()));
    }
  }

  void Write(absl::Status status) {
    const replication::WriteGroup& group = *follower_->writing;
    std::string& file = building_ ? beside_ : live_;
    for (const std::string& piece : group.pieces) file += piece;
    if (group.commit) {
      Scanner scanner(filestorage::ParseMagic(file.substr(0, 4)).value(), Boundary{});
      EXPECT_EQ(scanner.Feed(absl::string_view(file).substr(4)).outcome, filestorage::ScanOutcome::kMore);
      EXPECT_EQ(scanner.last(), *group.commit);
      EXPECT_EQ(file.size(), group.commit->offset);
    }
    follower_->Written(std::move(status));
  }

  v1::PublisherMessage Message() {
    v1::PublisherMessage message;
    const size_t kind = input_.Below(10);
    if (kind == 0) {
      (void)message.ParseFromString(std::string(input_.Bytes(300)));
      return message;
    }
    if (kind <= 2) {
      *message.mutable_welcome() = Welcome();
    } else if (kind <= 7) {
      message = Batch();
    } else if (kind == 8) {
      *message.mutable_heartbeat() = replication::HeartbeatOf(input_.Below(5000), {Id('p')});
    } else {
      v1::RangeDigest& digest = *message.mutable_range_digest();
      digest.set_begin(0);
      digest.set_end(beside_.size());
      digest.set_digest(filestorage::DigestOf(beside_).ToBytes());
    }
    if (input_.Below(4) == 0) Mutate(input_, message);
    return message;
  }

  v1::Welcome Welcome() {
    v1::Welcome welcome;
    welcome.set_version(1);
    welcome.set_decision(static_cast<v1::Welcome::Decision>(1 + input_.Below(3)));
    *welcome.mutable_lineage() = input_.Flip() ? NextLineage() : replication::FirstLineage();
    welcome.set_magic("FS30");
    const Boundary first = FirstBoundary(Magic::kFs30);
    const Boundary beside = copy_.rebuild && copy_.rebuild->committed.offset != 0 ? copy_.rebuild->committed : first;
    const Boundary starts[] = {first, copy_.committed, beside};
    *welcome.mutable_start() = replication::ToProto(starts[input_.Below(3)]);
    welcome.set_committed_end(welcome.start().offset() + input_.Below(5000));
    return welcome;
  }

  v1::PublisherMessage Batch() {
    const uint64_t begin = std::min(follower_->session.received_offset(), TheFile().size());
    const uint64_t end = std::min<uint64_t>(begin + 1 + input_.Below(1000), TheFile().size());
    Boundary behind = FirstBoundary(Magic::kFs30);
    for (const Boundary& boundary : TheFile().boundaries()) {
      if (boundary.offset <= begin) behind = boundary;
    }
    return replication::BatchOf(TheFile().bytes(), begin, end, behind);
  }

  Input input_;
  Copy copy_;
  std::string beside_;
  std::string live_;
  bool building_ = false;
  std::unique_ptr<FollowerDriver> follower_;
};

}  // namespace
}  // namespace zrs::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  zrs::fuzz::Run(zrs::fuzz::Input(data, size)).Steps();
  return 0;
}
