// Task: what is to be learned, as the trainer sees it: a model, its data and its loss.
//
// A new kind of model is a file in task/ (a task and its options) and a line in task.cpp.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "../data/data.h"
#include "../engine/ops/loss.h"
#include "../nn/language_model.h"
#include "model_check.h"

namespace normlab {

// One micro-batch of training.
class MicroBatch {
 public:
  virtual ~MicroBatch() = default;
  virtual Index predicted() const = 0;  // tokens, or images
  // Its share of the loss of a step that predicts `tokens` in all.
  virtual CrossEntropy loss(const Pass& pass, double label_smoothing, double tokens) const = 0;
};

class Task {
 public:
  virtual ~Task() = default;
  virtual Module& model() = 0;
  virtual const Data& data() const = 0;
  // Counted from the start of training.
  virtual std::unique_ptr<MicroBatch> training_batch(std::uint64_t index) const = 0;
  // The loss of batch `index` of an evaluation, without label smoothing.
  virtual CrossEntropy evaluate(Split split, Index index, const Pass& pass) const = 0;
  // Is the share of right predictions a score too, "accuracy", of every evaluation?
  virtual bool scores_accuracy() const { return false; }
  // What else tells how good the model is on a split, by name, and takes longer to find out: BLEU of its translations.
  virtual std::vector<std::pair<std::string, double>> scores(Split /*split*/) const { return {}; }
  // What each of them is, by name: the definition in words, and the signature where there is a convention for it.
  virtual std::map<std::string, std::string> score_definitions() const { return {}; }
};

// A simple way of predicting, to compare with.
struct Baseline {
  std::string name;
  double perplexity = 0;  // on the validation split
  std::string doc;
};

// A registered kind of model with its options; see registry.h.
struct ModelOptions {
  virtual ~ModelOptions() = default;
  virtual void fields(Fields& f) = 0;
  virtual Content content() const = 0;  // of the data that it learns from
  // The task of training this model on `data`, which must outlive it.
  virtual std::unique_ptr<Task> make(const Init& init, const Data& data) const = 0;
  // What that takes, found without building the model; and the tokens of the largest batch of the first epoch.
  virtual TrainingSize training_size(const Data& data, Dtype dtype) const = 0;
  // The gradient check of a shrunk copy.
  virtual ModelCheck check(double label_smoothing, std::uint64_t seed) const = 0;
  virtual std::vector<Baseline> baselines(const Data& /*data*/) const { return {}; }
};

const std::vector<Registered<ModelOptions>>& registered(const ModelOptions*);
using ModelConfig = Choice<ModelOptions>;

}  // namespace normlab
