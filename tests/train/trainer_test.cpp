// The trainer: what a step is, what it leaves alone, and what those who look on are told.
#include "train/trainer.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "engine/ops/loss.h"
#include "tests/support/catch.h"
#include "tests/support/tensors.h"
#include "tests/train/training.h"
#include "train/glob.h"

using namespace normlab;

TEST_CASE("the loop reports every step, evaluates and saves when it is due") {
  Training t({"train.checkpoint_every=3"});
  t.run();
  REQUIRE(t.listening.steps.size() == 8);
  CHECK(t.listening.steps[4].progress.step == 5);
  CHECK(t.listening.steps[4].progress.batch == 5);
  std::vector<std::int64_t> evaluated;
  for (const auto& evaluation : t.listening.evaluations) evaluated.push_back(evaluation.step);
  CHECK(evaluated == std::vector<std::int64_t>{0, 4, 8});
  CHECK(t.listening.checkpoints == std::vector<std::int64_t>{3, 6, 8});
}

TEST_CASE("training learns: the loss falls well below a uniform guess") {
  Training t({"train.steps=150", "train.evaluate_every=0", "train.optimizer.rate=0.01"});
  t.run();
  CHECK(t.listening.steps.front().nll == Approx(std::log(t.data->vocabulary_size())).margin(1));
  CHECK(t.listening.steps.back().nll < 0.75 * t.listening.steps.front().nll);
}

TEST_CASE("epochs are passes over all batches, the last step filled up") {
  Training t({"train.steps=0", "train.epochs=2", "train.accumulate=4"});
  const std::int64_t batches = t.data->batches_per_epoch();
  CHECK(4 * t.trainer.steps() >= 2 * batches);
  CHECK(4 * t.trainer.steps() < 2 * batches + 4);
  Training seven({"train.steps=0", "train.epochs=7", "train.accumulate=4"});
  CHECK(4 * seven.trainer.steps() < 7 * batches + 4);
}

TEST_CASE("accumulated micro-batches give the gradient of one batch of all their tokens") {
  // One step without dropout, against a loss and gradient that know nothing of micro-batches.
  const std::vector<std::string> common = {
      "model.dropout=0", "model.attention_dropout=0", "dtype=f64",
      "train.steps=1",   "train.evaluate_every=0",    "data.batching.tokens_per_batch=150"};
  auto overrides = common;
  overrides.push_back("train.accumulate=4");
  Training accumulated(overrides), by_hand(common);
  accumulated.run();
  // The sequences of the four batches as one batch, differentiated once.
  std::vector<std::int32_t> inputs, targets;
  std::vector<Index> lengths;
  for (std::uint64_t i = 0; i < 4; ++i) {
    const Batch batch = by_hand.data->training_batch(i);
    for (Index s = 0; s < batch.rows.sequences(); ++s) lengths.push_back(batch.rows.length(s));
    for (const std::int32_t id : std::as_const(batch.inputs).values<std::int32_t>()) inputs.push_back(id);
    for (const std::int32_t id : std::as_const(batch.targets).values<std::int32_t>()) targets.push_back(id);
  }
  const Rows rows = Rows::of_lengths(lengths);
  const auto tensor_of = [&](const std::vector<std::int32_t>& ids) {
    return Tensor::from<std::int32_t>({rows.tokens()}, ids);
  };
  const auto parameters = by_hand.model.parameters();
  Tape tape;
  const auto entropy = cross_entropy(by_hand.model.logits(tensor_of(inputs), rows, {}), tensor_of(targets), rows);
  tape.backward(entropy.loss);
  const StepReport& step = accumulated.listening.steps[0];
  CHECK(step.tokens == rows.tokens());
  CHECK(step.nll == Approx(entropy.loss.item()).epsilon(1e-12));
  CHECK(step.gradient_norm == Approx(gradient_norm(parameters)).epsilon(1e-10));
}

TEST_CASE("perplexity is the same for every batch size of the evaluation") {
  Training small({"data.batching.tokens_per_batch=100", "dtype=f64"}),
      large({"data.batching.tokens_per_batch=600", "dtype=f64"});
  const auto a = small.trainer.evaluate(Split::valid, 0), b = large.trainer.evaluate(Split::valid, 0);
  CHECK(a.tokens == b.tokens);
  CHECK(a.perplexity() == Approx(b.perplexity()).epsilon(1e-12));
  CHECK(a.perplexity() == Approx(std::exp(a.nll / static_cast<double>(a.tokens))));
}

TEST_CASE("with layer norm, pads change neither the loss nor any gradient, in training nor in evaluation") {
  const std::vector<std::string> common = {"model.dropout=0", "model.attention_dropout=0", "dtype=f64",
                                           "train.label_smoothing=0.1"};
  const auto with = [&](std::vector<std::string> further) {
    further.insert(further.end(), common.begin(), common.end());
    return std::make_unique<Training>(further);
  };
  const auto gradients_of = [](Training& t) {  // of the loss of the first batch
    const Batch batch = t.data->training_batch(0);
    const Pass pass{.training = true, .seed = 1, .step = 1, .micro_batch = 0};
    Tape tape;
    const auto entropy =
        cross_entropy(t.model.logits(batch.inputs, batch.rows, pass), batch.targets, batch.predicted, 0.1);
    tape.backward(entropy.loss);
    std::vector<Tensor> result{entropy.loss};
    for (const Named& parameter : t.model.parameters()) {
      result.push_back(parameter.tensor.gradient().clone());
      parameter.tensor.gradient().fill(0);
    }
    return result;
  };
  const auto packed = with({});
  const auto expected = gradients_of(*packed);
  packed->run();
  for (const std::string kind : {"longest", "share"}) {
    for (const std::string counted : {"true", "false"}) {
      CAPTURE(kind, counted);
      const auto padded = with({"data.padding.kind=" + kind, "data.padding.counted=" + counted});
      CHECK(padded->data->training_batch(0).rows.tokens() > packed->data->training_batch(0).rows.tokens());
      const auto got = gradients_of(*padded);
      REQUIRE(got.size() == expected.size());
      double worst = 0, largest = 0;
      for (std::size_t i = 0; i < got.size(); ++i) {
        REQUIRE(got[i].shape() == expected[i].shape());
        for (Index j = 0; j < got[i].size(); ++j) {
          worst = worse(worst, std::abs(got[i].at(j) - expected[i].at(j)));
          largest = std::max(largest, std::abs(expected[i].at(j)));
        }
      }
      CHECK(worst < 1e-13 * largest);
      padded->run();
      for (std::size_t i = 0; i < packed->listening.steps.size(); ++i) {
        const StepReport &a = padded->listening.steps[i], &b = packed->listening.steps[i];
        CHECK(a.loss == Approx(b.loss).epsilon(1e-9));
        CHECK(a.nll == Approx(b.nll).epsilon(1e-9));
        CHECK(a.gradient_norm == Approx(b.gradient_norm).epsilon(1e-9));
        CHECK(a.tokens == b.tokens);
        CHECK(a.progress.tokens == b.progress.tokens);
      }
      for (std::size_t i = 0; i < packed->listening.evaluations.size(); ++i) {
        CHECK(padded->listening.evaluations[i].tokens == packed->listening.evaluations[i].tokens);
        CHECK(padded->listening.evaluations[i].nll == Approx(packed->listening.evaluations[i].nll).epsilon(1e-9));
      }
    }
  }
}

TEST_CASE("with batch norm, pads that are counted change training, and those that are not change nothing") {
  const auto nll_of_run = [](const std::vector<std::string>& padding) {
    std::vector<std::string> overrides = {"model.norm.kind=batch", "model.dropout=0", "model.attention_dropout=0",
                                          "dtype=f64", "train.steps=3"};
    overrides.insert(overrides.end(), padding.begin(), padding.end());
    Training t(overrides);
    t.run();
    std::vector<double> nll;
    for (const StepReport& step : t.listening.steps) nll.push_back(step.nll);
    for (const EvaluationReport& evaluation : t.listening.evaluations) nll.push_back(evaluation.mean());
    return nll;
  };
  const auto packed = nll_of_run({}), left_out = nll_of_run({"data.padding.kind=longest"}),
             counted = nll_of_run({"data.padding.kind=longest", "data.padding.counted=true"});
  REQUIRE(packed.size() == 5);  // three steps; evaluations before and after
  for (const std::size_t i : {0u, 1u, 2u, 4u}) {
    CHECK(left_out[i] == Approx(packed[i]).epsilon(1e-9));
    CHECK(std::abs(counted[i] - packed[i]) > 1e-3);
  }
}

TEST_CASE("padded training goes on from a step as if it had never stopped") {
  const std::vector<std::string> padded = {"data.padding.kind=share", "data.padding.share=0.4",
                                           "train.evaluate_every=0", "model.positions=learned"};
  auto first_half = padded;
  first_half.push_back("train.steps=4");
  Training whole(padded), stopped(first_half), resumed(padded);
  whole.run();
  stopped.run();
  Listening rest;
  Trainer(resumed.config, stopped.task).run(stopped.listening.steps.back().progress, *stopped.optimizer, {&rest});
  REQUIRE(rest.steps.size() == 4);
  for (std::size_t i = 0; i < 4; ++i) {
    CHECK(stopped.listening.steps[i].nll == whole.listening.steps[i].nll);
    CHECK(rest.steps[i].nll == whole.listening.steps[4 + i].nll);
    CHECK(rest.steps[i].progress.tokens == whole.listening.steps[4 + i].progress.tokens);
  }
}

TEST_CASE("no new storage after the first step of a repeating shape") {
  // Segments of one length give batches of one shape.
  std::string json = kConfig;
  const std::string sentences = R"({"kind": "sentences", "tokens_per_batch": 256})";
  json.replace(json.find(sentences), sentences.size(),
               R"({"kind": "continuous", "sequence_length": 32, "sequences": 4})");
  struct Counting : Listener {
    std::vector<std::uint64_t> blocks;
    void on_step(const StepReport&) override { blocks.push_back(pool_counts().fresh_blocks); }
  } counting;
  const Config config = parse_experiment(json, "test.json", {"train.steps=6", "train.evaluate_every=0"}).runs[0].config;
  const auto data = load_data(config, ".");
  const auto task = config.model->make(Training::init_of(config), *data);
  const auto optimizer = config.train.optimizer->make(task->model().parameters());
  Trainer(config, *task).run({}, *optimizer, {&counting});
  REQUIRE(counting.blocks.size() == 6);
  CHECK(counting.blocks.back() == counting.blocks.front());
}

TEST_CASE("training diverges with the step and the first site that was not finite") {
  Training t({"train.steps=50", "train.evaluate_every=0"});
  // A weight that is infinite makes the site right after it the first one.
  for (const Named& parameter : t.model.parameters()) {
    if (parameter.path == "layers.1.feed_forward.inner.weight") Tensor(parameter.tensor).fill(INFINITY);
  }
  try {
    t.run();
    FAIL("nothing was thrown");
  } catch (const Diverged& error) {
    CHECK(error.step() == 1);
    CHECK_THAT(error.site(), ContainsSubstring("layers.1.feed_forward"));
    CHECK_THAT(error.what(), ContainsSubstring("step 1"));
  }
}

TEST_CASE("a model that the last update made infinite has diverged") {
  Training t({"train.steps=1", "train.evaluate_every=0", "train.optimizer={\"kind\": \"sgd\", \"rate\": 1e38}"});
  try {
    t.run();
    FAIL("nothing was thrown");
  } catch (const Diverged& error) {
    CHECK(error.step() == 1);
    CHECK(error.site() == "the validation loss");
    CHECK_THAT(error.what(), ContainsSubstring("after step 1: the validation loss is not finite"));
  }
  CHECK(t.listening.evaluations.empty());
}

TEST_CASE("memory is reckoned for the largest batch of an epoch") {
  bool another_than_the_first = false;
  for (const char* seed : {"data_seed=1", "data_seed=2", "data_seed=3"}) {
    const Training t({seed});
    Index largest = 0;
    for (Index i = 0; i < t.data->batches_per_epoch(); ++i) {
      largest = std::max(largest, t.data->training_batch(static_cast<std::uint64_t>(i)).rows.tokens());
    }
    another_than_the_first = another_than_the_first || t.data->training_batch(0).rows.tokens() < largest;
    CHECK(t.config.model->training_size(*t.data, Dtype::f32).tokens == largest);
  }
  CHECK(another_than_the_first);
}

TEST_CASE("the site of a divergence is looked for with the running statistics that the step began with") {
  // PowerNorm divides by the running second moment: 0 + 1e-5 at first, which the large weight takes beyond f32. What
  // the step commits would hide it, and the search would end at the attention behind it.
  Training t({"model.norm={\"kind\": \"power\", \"warmup_steps\": 0}"});
  for (const Named& parameter : t.model.parameters()) {
    if (parameter.path == "layers.0.attention_norm.weight") Tensor(parameter.tensor).fill(1e37);
  }
  for (const Named& buffer : t.model.buffers()) {
    if (buffer.path == "layers.0.attention_norm.running_second_moment") Tensor(buffer.tensor).fill(0);
  }
  try {
    t.run();
    FAIL("nothing was thrown");
  } catch (const Diverged& error) {
    CHECK(error.site() == "layers.0.attention_norm.out");
  }
}

TEST_CASE("probes give the norms they name and change nothing") {
  Training plain({"train.steps=3"}), probed({"train.steps=3", "probes.at=[2]"});
  plain.run();
  probed.run();
  for (std::size_t i = 0; i < 3; ++i) CHECK(plain.listening.steps[i].nll == probed.listening.steps[i].nll);
  CHECK(plain.listening.steps[2].gradient_norm == probed.listening.steps[2].gradient_norm);

  const auto& records = probed.listening.probes;
  const auto value = [&](const std::string& site, const std::string& quantity) {
    for (const auto& record : records) {
      if (record.site == site && record.quantity == quantity) return record.value;
    }
    FAIL("no record of " << site << " " << quantity);
    return 0.0;
  };
  // The whole gradient is made of the parameters' ones.
  double squares = 0;
  for (const Named& parameter : probed.model.parameters()) {
    squares += std::pow(value(parameter.path, "weight_gradient_norm"), 2);
  }
  CHECK(std::sqrt(squares) == Approx(probed.listening.steps[1].gradient_norm).epsilon(1e-5));
  // After a layer norm with weight 1 and bias 0 (nearly so at step 2) a token's vector has length sqrt(width).
  CHECK(value("final_norm.out", "activation_norm") == Approx(4).epsilon(0.02));
  CHECK(value("layers.0.attention.out", "activation_gradient_norm") > 0);
  CHECK(value("layers.1.out", "activation_norm") > 0);
}

TEST_CASE("patterns of sites") {
  CHECK(glob_match("*", "anything"));
  CHECK(glob_match("layers.*.out", "layers.3.attention.out"));
  CHECK(glob_match("layers.?.out", "layers.3.out"));
  CHECK_FALSE(glob_match("layers.?.out", "layers.13.out"));
  CHECK_FALSE(glob_match("*.weight", "layers.0.bias"));
  CHECK(glob_match("*a*b*", "xxaxxbxx"));
  CHECK_FALSE(glob_match("", "x"));
}
