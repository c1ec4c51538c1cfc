"""Parameters of registered classes that a config may not set, with the reason."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_FILE = "it names a file"
_FILE_COLUMNS = "it speaks of columns of a file"
_CACHE = "it names a folder of pickles, which are executed when they are read"
_FUNCTION = "it is a function"
_NETWORK = "it makes several machines work together"
_DEVICE = "it chooses devices, and results would differ among machines"
_PREDICTION = "it changes what is predicted, not what is learnt"
_WRITING = "it writes files beside the results"
_TEXTS = "it is for texts and embeddings, which customers are not"
_TASK = "it makes something else than a model of the data given"
REFUSED: Mapping[str, Mapping[str, str]] = {
    "sklearn": {
        "memory": _CACHE,
        "callback": _FUNCTION,
        "importance_getter": _FUNCTION,
        "is_data_valid": _FUNCTION,
        "is_model_valid": _FUNCTION,
        "score_func": _FUNCTION,
    },
    "imblearn": {"memory": _CACHE},
    "lightgbm": {
        "config": _FILE,
        "convert_model": _FILE,
        "convert_model_language": _TASK,
        "data": _FILE,
        "device_type": _DEVICE,
        "forcedbins_filename": _FILE,
        "forcedsplits_filename": _FILE,
        "gpu_device_id": _DEVICE,
        "gpu_device_id_list": _DEVICE,
        "gpu_platform_id": _DEVICE,
        "gpu_use_dp": _DEVICE,
        "group_column": _FILE_COLUMNS,
        "header": _FILE_COLUMNS,
        "ignore_column": _FILE_COLUMNS,
        "input_model": _FILE,
        "label_column": _FILE_COLUMNS,
        "local_listen_port": _NETWORK,
        "machine_list_filename": _FILE,
        "machines": _NETWORK,
        "num_gpu": _DEVICE,
        "num_iteration_predict": _PREDICTION,
        "num_machines": _NETWORK,
        "output_model": _FILE,
        "output_result": _FILE,
        "parser_config_file": _FILE,
        "pre_partition": _NETWORK,
        "precise_float_parser": _FILE_COLUMNS,
        "pred_early_stop": _PREDICTION,
        "pred_early_stop_freq": _PREDICTION,
        "pred_early_stop_margin": _PREDICTION,
        "predict_contrib": _PREDICTION,
        "predict_disable_shape_check": _PREDICTION,
        "predict_leaf_index": _PREDICTION,
        "predict_raw_score": _PREDICTION,
        "save_binary": _WRITING,
        "snapshot_freq": _WRITING,
        "start_iteration_predict": _PREDICTION,
        "task": _TASK,
        "time_out": _NETWORK,
        "tree_learner": _NETWORK,
        "two_round": _FILE,
        "valid": _FILE,
        "weight_column": _FILE_COLUMNS,
    },
    "catboost": {
        "callback": _FUNCTION,
        "device_config": _DEVICE,
        "devices": _DEVICE,
        "dictionaries": _TEXTS,
        "embedding_features": _TEXTS,
        "feature_calcers": _TEXTS,
        "gpu_cat_features_storage": _DEVICE,
        "gpu_ram_part": _DEVICE,
        "input_borders": _FILE,
        "metadata": "it puts texts of anybody's into the saved model",
        "name": _WRITING,
        "output_borders": _FILE,
        "pinned_memory_size": _DEVICE,
        "save_snapshot": _WRITING,
        "snapshot_file": _FILE,
        "snapshot_interval": _WRITING,
        "task_type": _DEVICE,
        "text_features": _TEXTS,
        "text_processing": _TEXTS,
        "tokenizers": _TEXTS,
        "train_dir": _FILE,
    },
}
"""Reason why a parameter is rejected, by library and canonical name."""
FIXED: Mapping[str, Mapping[str, Any]] = {"catboost": {"allow_writing_files": False}}
"""Parameters with a fixed value, whether a config gives it or not."""
THREADS = ("n_jobs", "num_threads", "thread_count")
"""Parameters that are a number of threads, by canonical name."""
_LIGHTGBM = """
alpha auc_mu_weights bagging_by_query bagging_fraction bagging_freq bagging_seed
bin_construct_sample_cnt boost_from_average boosting cat_l2 cat_smooth categorical_feature
cegb_penalty_feature_coupled cegb_penalty_feature_lazy cegb_penalty_split cegb_tradeoff
class_weight data_random_seed data_sample_strategy deterministic drop_rate drop_seed
early_stopping_min_delta early_stopping_round enable_bundle eval_at extra_seed extra_trees
fair_c feature_contri feature_fraction feature_fraction_bynode feature_fraction_seed
feature_pre_filter first_metric_only force_col_wise force_row_wise histogram_pool_size
importance_type interaction_constraints is_enable_sparse is_provide_training_metric is_unbalance
label_gain lambda_l1 lambda_l2 lambdarank_norm lambdarank_position_bias_regularization
lambdarank_truncation_level learning_rate linear_lambda linear_tree max_bin max_bin_by_feature
max_cat_threshold max_cat_to_onehot max_delta_step max_depth max_drop metric metric_freq
min_data_in_bin min_data_in_leaf min_data_per_group min_gain_to_split min_sum_hessian_in_leaf
monotone_constraints monotone_constraints_method monotone_penalty multi_error_top_k
neg_bagging_fraction num_class num_grad_quant_bins num_iterations num_leaves num_threads
objective objective_seed other_rate path_smooth poisson_max_delta_step pos_bagging_fraction
quant_train_renew_leaf refit_decay_rate reg_sqrt saved_feature_importance_type scale_pos_weight
seed sigmoid skip_drop stochastic_rounding top_k top_rate tweedie_variance_power uniform_drop
use_missing use_quantized_grad verbosity xgboost_dart_mode zero_as_missing
"""
_CATBOOST = """
allow_const_label allow_writing_files approx_on_full_history auto_class_weights
bagging_temperature best_model_min_trees boost_from_average boosting_type bootstrap_type
border_count cat_features class_names class_weights classes_count colsample_bylevel
combinations_ctr counter_calc_method ctr_description ctr_history_unit ctr_leaf_count_limit
ctr_target_border_count custom_loss custom_metric data_partition depth dev_efb_max_buckets
dev_score_calc_obj_block_size diffusion_temperature early_stopping_rounds eta eval_fraction
eval_metric feature_border_type feature_weights final_ctr_computation_mode
first_feature_use_penalties fixed_binary_splits fold_len_multiplier fold_permutation_block
grow_policy has_time ignored_features iterations l2_leaf_reg langevin
leaf_estimation_backtracking leaf_estimation_iterations leaf_estimation_method learning_rate
logging_level loss_function max_bin max_ctr_complexity max_depth max_leaves metric_period
min_child_samples min_data_in_leaf model_shrink_mode model_shrink_rate model_size_reg
monotone_constraints mvs_reg n_estimators nan_mode num_boost_round num_leaves num_trees
objective od_pval od_type od_wait one_hot_max_size penalties_coefficient per_feature_ctr
per_float_feature_quantization per_object_feature_penalties posterior_sampling random_score_type
random_seed random_state random_strength reg_lambda rsm sampling_frequency sampling_unit
scale_pos_weight score_function silent simple_ctr sparse_features_conflict_fraction
store_all_simple_ctr subsample target_border thread_count use_best_model used_ram_limit verbose
"""
PLAIN: Mapping[str, frozenset[str]] = {
    "lightgbm": frozenset(_LIGHTGBM.split()),
    "catboost": frozenset(_CATBOOST.split()),
}
"""All other parameters of native libraries, where a text may have any meaning.

Parameters of newer versions are rejected until they are reviewed.
"""
