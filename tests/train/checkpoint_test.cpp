// Checkpoints: a round trip to the bit, strict loading, and which file is the latest.
#include "train/checkpoint.h"

#include "tests/support/catch.h"
#include "tests/support/temporary_folder.h"
#include "tests/train/full_disk.h"
#include "train/files.h"
#include "train/safetensors.h"

using namespace normlab;
using test::TemporaryFolder;

namespace {

Named named(const std::string& path, Shape shape, double value, Dtype dtype = Dtype::f32) {
  return {path, Tensor::full(shape, dtype, value), shape};
}

RunTensors run_of(double value) {
  return {{named("norm.weight", {3}, value), named("output.weight", {2, 3}, value + 1)},
          {named("norm.running_mean", {3}, value + 2)},
          {named("step", {}, value + 3, Dtype::f64), named("exp_avg.norm.weight", {3}, value + 4)}};
}

const CheckpointInfo kInfo = {{1200, 34, 56789}, "{\"seed\": 1}\n", {{"best_loss", "5.25"}}};

std::string load_error(const std::filesystem::path& path, RunTensors& run) {
  try {
    load_checkpoint(path, run);
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

}  // namespace

TEST_CASE("A checkpoint gives back tensors, progress, config and the rest", "[checkpoint]") {
  const TemporaryFolder folder;
  save_checkpoint(folder / "file", run_of(10), kInfo);
  RunTensors run = run_of(0);
  const CheckpointInfo info = load_checkpoint(folder / "file", run);
  CHECK(info.progress.step == 1200);
  CHECK(info.progress.batch == 34);
  CHECK(info.progress.tokens == 56789);
  CHECK(info.config == kInfo.config);
  CHECK(info.extra == kInfo.extra);
  CHECK(run.parameters[0].tensor.at(2) == 10);
  CHECK(run.parameters[1].tensor.at(5) == 11);
  CHECK(run.buffers[0].tensor.at(0) == 12);
  CHECK(run.optimizer[0].tensor.item() == 13);
  CHECK(run.optimizer[1].tensor.at(1) == 14);

  const auto names = read_safetensors(folder / "file").tensors;
  CHECK(names.count("model.norm.running_mean") == 1);
  CHECK(names.count("optimizer.exp_avg.norm.weight") == 1);

  save_checkpoint(folder / "again", run, info);
  CHECK(read_file(folder / "again") == read_file(folder / "file"));
}

TEST_CASE("A checkpoint of another model names all differences and changes nothing", "[checkpoint]") {
  const TemporaryFolder folder;
  RunTensors other = run_of(10);
  other.parameters[1] = named("output.weight", {3, 2}, 1);
  other.buffers[0] = named("norm.running_mean", {3}, 1, Dtype::f64);
  other.optimizer.pop_back();
  other.optimizer.push_back(named("momentum.norm.weight", {3}, 1));
  save_checkpoint(folder / "file", other, kInfo);

  RunTensors run = run_of(0);
  CHECK(load_error(folder / "file", run) ==
        (folder / "file").string() +
            ": the checkpoint is of another model or optimizer:"
            "\n  dtype: model.norm.running_mean is f32, in the file f64"
            "\n  shape: model.output.weight is [2, 3], in the file [3, 2]"
            "\n  missing: optimizer.exp_avg.norm.weight [3] f32"
            "\n  unexpected: optimizer.momentum.norm.weight [3] f32"
            "\nResume with the config that wrote it (it is in the file's metadata), or train into another folder.");
  CHECK(run.parameters[0].tensor.at(0) == 0);
}

TEST_CASE("A long list of differences is cut", "[checkpoint]") {
  const TemporaryFolder folder;
  save_checkpoint(folder / "file", {}, kInfo);
  RunTensors run;
  for (int i = 0; i < 50; ++i) run.parameters.push_back(named(text("p", i), {1}, 0));
  CHECK_THAT(load_error(folder / "file", run), ContainsSubstring("… and 30 more"));
}

TEST_CASE("Damaged checkpoints and other files are refused with what to do", "[checkpoint]") {
  const TemporaryFolder folder;
  RunTensors run = run_of(0);
  save_checkpoint(folder / "file", run_of(10), kInfo);
  const std::string whole = read_file(folder / "file");

  write_file(folder / "cut", whole.substr(0, whole.size() - 1));
  CHECK_THAT(load_error(folder / "cut", run), ContainsSubstring("(cut)") && ContainsSubstring("delete it"));

  write_safetensors(folder / "other", {});
  CHECK_THAT(load_error(folder / "other", run), ContainsSubstring("other: not a checkpoint of Normlab"));

  Safetensors content = read_safetensors(folder / "file");
  content.metadata["step"] = "12x";
  write_safetensors(folder / "number", content);
  CHECK_THAT(load_error(folder / "number", run), ContainsSubstring("step in its metadata must be a whole number"));
  content.metadata["format"] = "normlab checkpoint 0";
  write_safetensors(folder / "format", content);
  CHECK_THAT(load_error(folder / "format", run), ContainsSubstring("it is \"normlab checkpoint 0\""));
  CHECK_THAT(load_error(folder / "nothing", run), ContainsSubstring("No such file"));
  CHECK(run.parameters[0].tensor.at(0) == 0);
}

TEST_CASE("What cannot be saved", "[checkpoint]") {
  const TemporaryFolder folder;
  RunTensors twice = run_of(0);
  twice.buffers.push_back(twice.parameters[0]);
  REQUIRE_THROWS_WITH(save_checkpoint(folder / "file", twice, kInfo),
                      ContainsSubstring("two tensors are named model.norm.weight"));
  REQUIRE_THROWS_WITH(save_checkpoint(folder / "file", run_of(0), {{}, "", {{"step", "1"}}}),
                      ContainsSubstring("key \"step\" is taken"));
  const test::FullDisk full(64);
  REQUIRE_THROWS_AS(save_checkpoint(folder / "file", run_of(0), kInfo), MachineError);
  CHECK(folder.names().empty());
}

TEST_CASE("The latest checkpoint, and those that are kept", "[checkpoint]") {
  const TemporaryFolder folder;
  CHECK_FALSE(latest_checkpoint(folder / "no such folder"));
  CHECK_FALSE(latest_checkpoint(folder.path()));
  for (std::int64_t step : std::vector<std::int64_t>{90, 100, 2'000'000'000'000}) {
    write_file(checkpoint_path(folder.path(), step), "");
  }
  write_file(folder / "step_000000101.safetensors.part", "");
  write_file(folder / "step_last.safetensors", "");
  CHECK(latest_checkpoint(folder.path()) == folder / "step_2000000000000.safetensors");
  remove_old_checkpoints(folder.path(), 2, 1);
  CHECK(latest_checkpoint(folder.path()) == folder / "step_2000000000000.safetensors");
  CHECK(std::filesystem::exists(checkpoint_path(folder.path(), 100)));
  CHECK_FALSE(std::filesystem::exists(checkpoint_path(folder.path(), 90)));
  remove_old_checkpoints(folder.path(), 5, 1);
  CHECK(folder.names().size() == 4);
}
