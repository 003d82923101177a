// Every config of the project, made small, through the program.
#include <atomic>
#include <future>

#include "program.h"
#include "tests/support/catch.h"

using namespace normlab_tests;

namespace {

// Settings that make an experiment small enough for a test: one seed, a step, small models, few draws. Text for
// translation, and images, are made up, since they are not here.
std::vector<std::string> shrunk(const std::string& json) {
  const auto says = [&](const char* text) { return json.find(text) != std::string::npos; };
  std::vector<std::string> settings;
  const auto add = [&](const std::vector<std::string>& more) {
    settings.insert(settings.end(), more.begin(), more.end());
  };
  if (says("\"sweep\"")) add({"sweep.seeds=[1]"});
  if (says("\"train\": {") && !says("\"train.steps\"")) add({"train.steps=1", "train.epochs=0"});
  if (says("\"kind\": \"parallel\"")) {
    add({R"(data={"kind": "synthetic_translation", "train_pairs": 300, "valid_pairs": 10, "test_pairs": 10,
             "tokens_per_batch": 128})"});
  }
  if (says("\"data\": {\"kind\": \"images\"") && !says("\"text\": {")) {
    add({R"(data={"kind": "synthetic_images", "train_images": 64, "valid_images": 16, "test_images": 16,
             "images_per_batch": 16})"});
  }
  if (says("\"kind\": \"translation\"")) {
    add({"model.encoder.width=32", "model.decoder.width=32", "model.encoder.feed_forward=64",
         "model.decoder.feed_forward=64"});
    if (!says("encoder.layers\"")) add({"model.encoder.layers=2", "model.decoder.layers=2"});
  }
  if (says("\"expected_gradients\"")) add({"experiment.groups=2", "experiment.most_batches=2"});
  if (says("\"hidden_moments\"")) add({"experiment.width=32", "experiment.draws=2"});
  if (says("\"norm_jacobian\"")) add({"experiment.features=16", "experiment.inputs=2"});
  if (says("\"inference_time\"")) add({"model.width=32"});
  return settings;
}

}  // namespace

TEST_CASE("every config, made small, takes a step or measures, and passes check", "[slow]") {
  const Scratch data;
  // Some arms bring their own data, and Penn Treebank is in many configs: files made here, under the same names.
  std::string words;
  for (int i = 0; i < 1000; ++i) words += "the cat number " + std::to_string(i % 97) + " sat\n";
  for (const std::string name : {"train", "valid", "test"}) {
    spill(data / ("ptb/ptb." + name + ".txt"), words);
  }
  std::string images;  // CIFAR-10's format: a class, then 32 x 32 pixels of three colours
  for (int i = 0; i < 1100; ++i) {
    images += static_cast<char>(i % 10);
    for (int pixel = 0; pixel < 3072; ++pixel) images += static_cast<char>((i % 10) * pixel);
  }
  spill(data / "cifar10/data_batch_1.bin", images);
  std::vector<std::string> files;
  for (const auto& entry : fs::recursive_directory_iterator(fs::path(NORMLAB_SOURCE_DIR) / "configs")) {
    if (entry.path().extension() == ".json") files.push_back(entry.path().string());
  }
  struct Outcomes {
    Outcome run, check;
    bool report = false;
  };
  std::vector<Outcomes> all(files.size());
  // Two at a time; the arms of a paper's own size take their step in tests/train/configs_test.cpp.
  std::atomic<std::size_t> next{0};
  const auto work = [&] {
    const Scratch own;
    for (std::size_t i = next++; i < files.size(); i = next++) {
      const auto with_settings = [&](std::vector<std::string> line) {
        for (const std::string& setting : shrunk(slurp(files[i]))) line.push_back(setting);
        line.insert(line.end(), {"--data", data.path().string()});
        return line;
      };
      const std::string out = (own / std::to_string(i)).string();
      if (!files[i].ends_with("_paper.json")) {
        all[i].run = run_program(with_settings({"run", files[i], "--out", out, "--threads", "1"}), own);
        all[i].report = fs::exists(fs::path(out) / "report.html");
      }
      all[i].check = run_program(with_settings({"check", files[i]}), own);
    }
  };
  auto other = std::async(std::launch::async, work);
  work();
  other.get();
  for (std::size_t i = 0; i < files.size(); ++i) {
    INFO(files[i] << all[i].run.error << all[i].check.error);
    if (!files[i].ends_with("_paper.json")) {
      CHECK(all[i].run.status == 0);
      CHECK(all[i].report);
    }
    CHECK(all[i].check.status == 0);
  }
}
