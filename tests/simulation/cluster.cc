#include "tests/simulation/cluster.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "filestorage/format.h"
#include "sidecar/storage/state_file.h"
#include "tests/support/file_builder.h"

namespace zrs::simulation {
namespace {

// Once in so many file operations of a process the writer acts in between, or the checker looks.
constexpr uint64_t kWriterBetweenOneIn = 6;
constexpr uint64_t kBeginBetweenOneIn = 20;  // a transaction may begin there too, but not at the pace of the operations
constexpr uint64_t kLookOneIn = 16;
constexpr uint64_t kLookBeforeSyncOneIn = 6;
constexpr uint64_t kLookAtNamesOneIn = 6;  // where names change: seldom, and much may go wrong

constexpr char kRightPath[] = "/data/Data.fs.right";  // where an administrator keeps the file meanwhile

constexpr absl::Duration kLongestDown = absl::Seconds(4);        // of a process or host that crashed
constexpr absl::Duration kLongestStale = absl::Seconds(25);      // until a primary of before is told to follow
constexpr absl::Duration kStillGoing = absl::Milliseconds(100);  // until it is looked again whether a process is gone

NetworkOptions MakeNetworkOptions(SeededRandom& random, const Sabotage& sabotage) {
  NetworkOptions options;
  if (random.OneIn(3)) options.delay_most = absl::Milliseconds(80);
  if (random.OneIn(3)) options.window = 16 << 10;
  options.acknowledge_early = sabotage.acknowledge_early;
  options.count_received = sabotage.count_received;
  options.ignore_generations = sabotage.ignore_generations;
  options.ask_nobody = sabotage.ask_nobody;
  options.ignore_databases = sabotage.ignore_databases;
  return options;
}

// Numbers of the upstreams of nodes 1 and up.
std::vector<size_t> MakeTopology(SeededRandom& random) {
  switch (random.Below(8)) {
    case 0:
      return {0, 1};  // a chain
    case 1:
      return {0, 0};  // a star
    case 2:
      if (random.OneIn(3)) return {0, 1, 1, 0};
      if (random.OneIn(4)) return {};  // a primary that nobody follows
      [[fallthrough]];
    default:
      return {0};
  }
}

std::string NameOf(size_t number) { return absl::StrCat("node", number); }

}  // namespace

Cluster::Cluster(const ScheduleOptions& options)
    : queue_(options.seed), log_(queue_, options.log_lines), checker_(log_, queue_.random()) {
  network_ = std::make_unique<SimulatedNetwork>(queue_, checker_, MakeNetworkOptions(random(), options.sabotage));
  MakeNodes(options);
  MakeWriter();
  checker_.Watch(*writer_, nodes_);
  Tick();
}

Cluster::~Cluster() = default;

void Cluster::MakeNodes(const ScheduleOptions& options) {
  std::vector<size_t> upstreams = MakeTopology(random());
  if (options.several_upstreams && upstreams.size() < 2) upstreams = std::vector<size_t>(2, 0);
  several_ = options.several_upstreams || (upstreams.size() > 1 && random().OneIn(3));
  for (size_t i = 0; i <= upstreams.size(); ++i) {
    NodeOptions node;
    node.name = NameOf(i);
    if (i > 0 && !several_) node.upstreams = {NameOf(upstreams[i - 1])};
    if (i > 0 && several_) node.upstreams = AllBut(i, upstreams.size() + 1);
    node.lies = i == 0 ? options.sabotage.primary : options.sabotage.secondary;
    node.watcher.drop_one_in = random().Between(3, 30);
    node.watcher.never = options.deaf;
    if (options.deaf) node.poll_interval = absl::Seconds(15);
    if (random().OneIn(4)) node.delays.io = absl::Milliseconds(20);
    nodes_.push_back(std::make_unique<Node>(queue_, *network_, log_, *this, std::move(node)));
    // A database that was here, and was killed: what is saved later must not take the place of what that has saved.
    if (random().OneIn(2)) {
      nodes_.back()->disk().SetContents(absl::StrCat(kDataPath, ".tr0"), random().Bytes(random().Between(1, 500)));
    }
  }
}

// In any order, which is the same for nobody.
std::vector<std::string> Cluster::AllBut(size_t number, size_t count) {
  std::vector<std::string> names;
  for (size_t i = 0; i < count; ++i) {
    if (i != number)
      names.insert(names.begin() + static_cast<std::ptrdiff_t>(random().Below(names.size() + 1)), NameOf(i));
  }
  return names;
}

const std::string& Cluster::AnyUpstreamOf(const Node& node) {
  // One that was the primary, and nobody has told that it is none.
  if (node.upstreams().empty()) return primary().name();
  return node.upstreams()[random().Below(node.upstreams().size())];
}

void Cluster::MakeWriter() {
  WriterOptions options;
  // Most runs have a small file: many of them find more than a few with much to read.
  if (!random().OneIn(5)) {
    options.largest = 24 << 10;
    options.enough = 40 << 10;
  }
  if (random().OneIn(4)) options.large_one_in = 8;
  if (random().OneIn(40)) {
    options.largest = 3 << 20;
    options.enough = 1 << 20;
  }
  longest_pause_ = random().OneIn(4) ? absl::Milliseconds(150) : absl::Seconds(1);
  writer_ =
      std::make_unique<SimulatedWriter>(queue_, primary().disk(), primary().notifications(), log_, kDataPath, options);
  if (random().OneIn(3)) return OpenWriterLater(random().Delay(absl::ZeroDuration(), absl::Seconds(3)));
  tests::FileBuilder file;
  primary().disk().SetContents(kDataPath, file.AddMany(random().Below(20), random().Between(1, 2000)).bytes());
  writer_->OnHostCrash();  // reads what is there
  writer_->Open();
}

void Cluster::Tick() {
  StepWriter();
  const absl::Duration pause = writer_->busy() ? absl::Milliseconds(2) : longest_pause_;
  queue_.Add(random().Delay(absl::ZeroDuration(), pause), [this] { Tick(); });
}

void Cluster::StepWriter() {
  if (writing_ || writer_->busy()) writer_->Step();
}

int Cluster::KnownEpochs() {
  const auto disk = primary().disk().Clone();
  const auto state = storage::StateFile(*disk, kStatePath).Load();
  return state.ok() && state->has_value() ? (*state)->lineage.epochs_size() : 0;
}

void Cluster::Pack() {
  if (failing_over_ || restoring_ || !writer_->is_open() || writer_->busy()) return;
  const int known = KnownEpochs();
  const bool last_is_known = packs_ == 0 || known > known_at_pack_;
  if (pack_dropped_end_ && !last_is_known) return;
  pack_dropped_end_ = last_is_known && known > 0 && random().OneIn(2);
  // Where there is no state yet, its first epoch may begin with the file that is being packed: it tells of no pack.
  known_at_pack_ = std::max(known, 1);
  ++packs_;
  writer_->BeginPack(pack_dropped_end_);
}

void Cluster::ForgetPacks() {
  known_at_pack_ = -1;
  pack_dropped_end_ = false;
}

void Cluster::RestoreBackup() {
  if (backup_ || failing_over_ || restoring_ || !writer_->is_open() || writer_->busy()) return;
  const std::optional<storage::State> state = primary().SettledState();
  const std::string& right = writer_->history();
  if (!state || state->lower_bound.offset > right.size()) return;
  // Up to a transaction that is known to have been committed.
  std::vector<uint64_t> ends;
  for (uint64_t at = filestorage::kMagicSize; at < state->lower_bound.offset;) {
    ends.push_back(at);
    at += filestorage::DecodeTransactionHeader(absl::string_view(right).substr(at)).length + filestorage::kLengthSize;
  }
  if (ends.empty()) return;
  const uint64_t end = ends[random().Below(ends.size())];
  const tests::TransactionSpec other{.tid = tests::TestTid(30000), .records = {{.oid = 1, .data = "another future"}}};
  writer_->Kill();
  backup_ = random().OneIn(2) ? Backup::kInTheFile : Backup::kUnderItsName;
  backup_began_ = queue_.now();
  checker_.SetBackup(true);
  log_.Add("schedule", absl::StrCat("an older backup of ", end, " bytes takes the place of the primary's file",
                                    *backup_ == Backup::kInTheFile ? ", in the file" : ", under its name"));
  if (*backup_ == Backup::kUnderItsName) primary().disk().Rename(kDataPath, kRightPath).IgnoreError();
  primary().disk().SetContents(kDataPath, right.substr(0, end) + tests::EncodeTransaction(other, end));
  primary().notifications().Changed(kDataPath);
}

void Cluster::PutBackRightFile() {
  if (!backup_) return;
  log_.Add("schedule", "the right file is put back");
  if (*backup_ == Backup::kUnderItsName && primary().disk().Exists(kRightPath)) {
    primary().disk().Rename(kRightPath, kDataPath).IgnoreError();
    primary().disk().SyncDirectory(kDataDirectory).IgnoreError();
  }
  // After a power loss from where the administrator has it too.
  if (primary().disk().Contents(kDataPath) != writer_->history()) {
    primary().disk().SetContents(kDataPath, writer_->history());
  }
  primary().notifications().Changed(kDataPath);
  backup_.reset();
  backup_ended_ = queue_.now();
  checker_.SetBackup(false);
  OpenWriterLater(absl::ZeroDuration());
}

void Cluster::GoOnFromBackup(size_t epoch, uint64_t end) {
  const bool in_the_file = random().OneIn(2);
  log_.Add("schedule", absl::StrCat("a backup of ", end, " bytes of epoch ", epoch, " is restored",
                                    in_the_file ? ", in the file" : ", under its name"));
  const std::string backup = writer_->HistoryOf(epoch).substr(0, end);
  writer_->GoOnFromBackup(epoch, end);
  if (!in_the_file) primary().disk().Rename(kDataPath, kRightPath).IgnoreError();
  primary().disk().SetContents(kDataPath, backup);
  primary().notifications().Changed(kDataPath);
  restoring_ = true;
  checker_.OnRestored(primary(), in_the_file);
  if (moved_) moved_(primary());
  OpenWriterLater(random().Delay(absl::ZeroDuration(), kLongestDown));
}

void Cluster::EndRestore(const std::string& id) {
  restoring_ = false;
  ForgetPacks();
  checker_.OnAdopted(id);
}

void Cluster::MoveWriter(Node& node, size_t epoch, bool in_order) {
  // What the old host's kernel has not written yet, and no database will ever sync.
  if (auto file = primary().disk().OpenForWriting(kDataPath); file.ok()) (*file)->Sync().IgnoreError();
  primary().disk().SyncDirectory(kDataDirectory).IgnoreError();
  node.disk().SetCapacity(UINT64_MAX);
  node.FailSync(0);
  node.FailOperation(0);
  Node& before = primary();
  before.SetPrimary(false);
  node.SetPrimary(true);
  for (size_t i = 0; i < nodes_.size(); ++i) {
    if (nodes_[i].get() == &node) primary_ = i;
  }
  writer_->MoveTo(node.disk(), node.notifications(), epoch);
  checker_.OnPromoted(node, before);
  ForgetPacks();
  for (const auto& other : nodes_) other->ForgetStatus();
  TellOthers(node, before, in_order);
  if (moved_) moved_(node);
}

void Cluster::TellOthers(Node& node, Node& before, bool in_order) {
  stale_.erase(&node);
  if (!several_) {
    for (const auto& other : nodes_) {
      if (other.get() != &node) Repoint(*other, {node.name()});
    }
    return;
  }
  if (in_order || random().OneIn(2)) return Repoint(before, UpstreamsOf(before));
  stale_.insert(&before);
  StartLater(before, random().Delay(absl::ZeroDuration(), kLongestDown));
  queue_.Add(random().Delay(absl::ZeroDuration(), kLongestStale), [this, &before] {
    if (stale_.erase(&before) > 0) Repoint(before, UpstreamsOf(before));
  });
}

void Cluster::EndStale() {
  for (const auto& node : nodes_) {
    if (stale_.erase(node.get()) > 0) Repoint(*node, UpstreamsOf(*node));
  }
}

std::vector<std::string> Cluster::UpstreamsOf(const Node& node) {
  if (!node.upstreams().empty()) return node.upstreams();
  for (size_t i = 0; i < nodes_.size(); ++i) {
    if (nodes_[i].get() == &node) return AllBut(i, nodes_.size());
  }
  return {};
}

void Cluster::Repoint(Node& node, std::vector<std::string> upstreams) {
  node.Follow(std::move(upstreams));
  if (node.running()) node.Stop(random().Delay(absl::ZeroDuration(), kLongestDown));
  StartLater(node, random().Delay(absl::ZeroDuration(), kLongestDown));
}

void Cluster::StartLater(Node& node, absl::Duration delay) {
  queue_.Add(delay, [this, &node] {
    if (ended_) return;
    if (node.gone()) return node.Start();
    if (!node.running()) StartLater(node, kStillGoing);
  });
}

void Cluster::OpenWriterLater(absl::Duration delay) {
  queue_.Add(delay, [this] {
    if (!writer_->is_open() && !backup_ && !failing_over_) writer_->Open();
  });
}

void Cluster::OnFileOperation(Node& node, const FileOperation& operation) {
  if (node.is_primary()) {
    if (!writer_->busy() && !random().OneIn(kBeginBetweenOneIn)) return;
    while (random().OneIn(kWriterBetweenOneIn)) StepWriter();
    return;
  }
  if (!operation.IsChange()) return;
  // Before a sync there is most to lose. A look reads the whole file: fewer of them at a large one.
  const uint64_t one_in = operation.kind == FileOperation::Kind::kSync ? kLookBeforeSyncOneIn : kLookOneIn;
  const bool renames = operation.kind == FileOperation::Kind::kRename ||
                       operation.kind == FileOperation::Kind::kSyncDirectory ||
                       operation.kind == FileOperation::Kind::kRemove || operation.kind == FileOperation::Kind::kLink;
  if (!random().OneIn(renames ? kLookAtNamesOneIn : one_in + (writer_->history().size() >> 14))) return;
  if (random().OneIn(2)) return checker_.CheckCopy(node);
  checker_.CheckCopyAfterPowerLoss(node);
}

void Cluster::OnStopped(Node& node) {
  checker_.saved().OnEnded(node.name(), node.disk());
  if (node.had_failure_of_any_kind()) checker_.OnDiskFailure(node);
}

void Cluster::OnCrashed(Node& node, bool host_too) {
  ++crashes_;
  OnStopped(node);
  StartLater(node, random().Delay(absl::Milliseconds(1), kLongestDown));
  if (host_too && node.is_primary()) OpenWriterLater(random().Delay(absl::Milliseconds(1), kLongestDown));
  if (!host_too) {
    if (!node.is_primary()) checker_.CheckCopy(node);
    return;
  }
  if (node.is_primary()) {
    primary_host_crashed_ = true;
    PutBackRightFile();
    writer_->OnHostCrash();
  }
  checker_.OnHostCrashed(node);
}

}  // namespace zrs::simulation
