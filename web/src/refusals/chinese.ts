import { type Kinds, moment, type Sentences, seconds, several, type Values } from "./codes";

const LOCALE = "zh-CN";
const WHO: Readonly<Record<string, string>> = { function: "此函数", user: "每位调用者", game: "全部调用者合计" };
const KINDS: Readonly<Record<string, string>> = {
  pack: "功能包",
  provider: "提供方",
  game_server: "游戏服",
};
const RISKS: Readonly<Record<string, string>> = { low: "低", medium: "中", high: "高", critical: "极高" };
const STATES: Readonly<Record<string, string>> = {
  pending: "等待中",
  approved: "已批准",
  executing: "执行中",
  executed: "已执行",
  failed: "执行失败",
  outcome_unknown: "结果未知",
  rejected: "已拒绝",
  withdrawn: "已撤回",
  expired: "已过期",
  void: "已失效",
};
const PARTS: Readonly<Record<string, string>> = {
  function_id: "函数",
  kind: "执行方式",
  description_version: "函数描述的版本",
  description_sha256: "函数描述",
  arguments_sha256: "参数",
  metadata_sha256: "元数据",
  game_id: "游戏",
  env: "环境",
  route: "路由方式",
  target_service_id: "目标游戏服",
  hash_key: "哈希键",
  version: "指定的版本",
  targets: "会收到它的游戏服",
  requester: "发起人",
  policy_sha256: "审批规则",
};
const FIELDS: Readonly<Record<string, string>> = {
  reason: "原因",
  ticket: "工单",
  comment: "意见",
  display_name: "显示名",
  email: "邮箱",
  name: "名称",
  description: "说明",
  note: "备注",
  text: "文本",
};
const NAMES: Readonly<Record<string, string>> = {
  account: "用户名最多 64 个字符，只能包含字母、数字和 . _ - @ +，不含空格，例如 ann 或 ann@example.org",
  group: "组名须为一行文本，首尾不能有空格",
  role: "角色名为 1 到 64 个小写字母、数字、. _ 或 -，例如 support",
  limit: "限额名称为 1 到 64 个 a-z、0-9、. _ 或 -，以字母或数字开头",
  secret: "密钥名称为 1 到 128 个字母、数字、. _ 或 -，以字母或数字开头",
  machine: "机器 ID 为 1 到 128 个字母、数字、. _ : @ 或 -",
  game_id: "游戏名为 1 到 64 个字母、数字、. _ 或 -，以字母或数字开头",
  env: "环境名为 1 到 64 个字母、数字、. _ 或 -，以字母或数字开头",
};
const MANY: Readonly<Record<string, string>> = {
  groups: "组",
  permissions: "权限",
  functions: "函数",
  scopes: "范围",
  hosts: "主机",
  columns: "列",
};
const NUMBERS: Readonly<Record<string, string>> = {
  canary: "先执行的行数",
  rate: "每秒行数",
  concurrency: "同时执行的数量",
  most: "额度",
  timeout: "超时秒数",
};
const LIVES: Readonly<Record<string, string>> = {
  token: "令牌的有效期为一分钟到一年",
  certificate: "证书的有效期为 10 秒到 365 天",
  join_token: "加入令牌的有效期为 1 秒到 30 天",
};
const agentOf = (of: Values) => of("agent") && `代理 ${of("agent")}：`;
const among = (of: Values) =>
  (several(of("candidates")) && `（共 ${of("candidates")} 个可选）`) +
  (of("within") && "，由代理交给其中最空闲的游戏服") +
  (of("agent") && "；下一次调用可能去往别处");
const canary = (of: Values) =>
  `${agentOf(of)}灰度：${of("percent")} % 发往版本 ${of("version")}，` +
  (of("side") === "inside" ? "此次在灰度范围内" : "此次不在灰度范围内") +
  (of("empty") && "，但那边没有可用的游戏服") +
  (of("by") === "hash" ? "；与哈希键匹配得分最高" : "；随机抽取的两个中较空闲的一个") +
  among(of);
const everyone = (of: Values) =>
  "所有正常的游戏服都会收到" +
  (of("chosen") && `：共 ${of("chosen")} 台`) +
  (of("skipped") && `，另有 ${of("skipped")} 台未包含`) +
  (of("failed") && `；其中 ${of("failed")} 台失败`);
const parts = (what: string) =>
  what
    .split(", ")
    .map((name) => PARTS[name] ?? name)
    .join("、");
const whose = (per: string) => WHO[per] ?? per;
const ruledBy = (limit: string) => (limit === "description" ? "函数描述" : `限额 ${limit}`);
const every = (seconds: string) => (seconds === "1" ? "每秒" : `每 ${seconds} 秒`);
const kind = (name: string) => KINDS[name] ?? name;
const either = (names: string) => names.replaceAll(" or ", " 或 ");

export const chinese: Sentences = {
  assigned: (of) => `${of("function")} 可在 ${of("scope")} 使用`,
  described: (of) => `由${kind(of("kind"))} ${of("name")} 提供描述`,
  undescribed: (of) => `${of("function")} 没有描述，只检查权限`,
  root: () => "服务器设置中的令牌拥有全部权限",
  role_allows: (of) => `角色 ${of("role")} 允许 ${of("pattern")}，${of("subject")} 在 ${of("place")} 拥有该角色`,
  condition_holds: (of) => `条件成立：${of("condition")}`,
  condition_open: (of) => `取决于参数：${of("condition")}`,
  maintenance_spares_queries: () => "查询操作，维护期间照常放行",
  maintenance_none: (of) => `${of("scope")} 当前没有维护`,
  maintenance_overridden: () => "你有权在维护期间执行，已跳过维护限制",
  rate_left: (of) => `${every(of("seconds"))} ${of("calls")} 次，剩余 ${of("left")} 次`,
  concurrency_left: (of) => `最多同时 ${of("most")} 个，剩余 ${of("left")} 个`,
  arguments_free: () => "对参数没有要求",
  arguments_open: () => "尚未提供参数",
  arguments_fit: () => "参数符合函数要求",
  budget_left: (of) =>
    of("period")
      ? `${of("period")} 内${whose(of("per"))}的额度 ${of("most")}（${of("path")}），剩余 ${of("left")}`
      : `单次最多 ${of("most")}（${of("path")}）`,
  approval_none: () => "无需他人批准",
  approval_open: () => "可能需要批准，取决于参数",
  approval_needed: () => "需要他人先批准",
  receivers: (of) =>
    of("route") === "broadcast"
      ? `${of("candidates")} 台游戏服中有 ${of("chosen")} 台会收到`
      : `有可用的游戏服（共 ${of("candidates")} 台）`,

  rule: (of) => `审批规则 ${of("rule")}`,
  two_person_rule: () => "函数要求双人复核",
  description_asks: () => "函数描述要求审批",
  risk: (of) => `风险等级为${RISKS[of("risk")] ?? of("risk")}`,
  over_limit: (of) => `超出限额 ${of("limit")}`,

  permission_missing: (of) =>
    `需要在 ${of("scope")} 拥有 ${either(of("missing"))} 权限，请联系 ${of("game_id")} 的管理员`,
  permission_missing_everywhere: (of) => `需要对所有游戏和环境拥有 ${either(of("missing"))} 权限，请联系平台管理员`,
  role_lacks: (of) => `角色 ${of("role")} 没有 ${either(of("missing"))} 权限`,
  token_lacks: (of) => `此令牌不含 ${either(of("missing"))} 权限，请换用其他令牌`,
  token_elsewhere: (of) => `此令牌不适用于 ${of("scope") || "整个平台"}，请换用其他令牌`,
  sees_as_role: (of) => `当前以角色 ${of("role")} 的视角查看，不能执行或修改`,
  outranked: (of) => `${of("name")} 拥有你没有的权限（${of("pattern")}，来自角色 ${of("role")}），请由权限相当的人操作`,
  condition_fails: (of) => `不满足此函数的条件：${of("condition")}`,
  condition_unusable: (of) => `此函数的条件有误，任何人都无法调用：${of("fault")}`,

  not_assigned: (of) => `${of("function")} 未分配给 ${of("scope")}，请联系管理员添加`,
  disabled: (of) =>
    `${of("function")} 已被${kind(of("kind"))} ${of("name")} 停用，请在其描述中启用，或修正描述中的错误`,
  under_maintenance: (of) =>
    `${of("scope")} 正在维护，${of("until") ? `预计 ${moment(of("until"), LOCALE)} 结束` : "结束时间未定"}：${of("reason")}（查询不受影响，本次未执行）` +
    (of("may_override") ? "。你有权强制执行：在元数据中加入 override_maintenance=true" : ""),
  rate_exceeded: (of) =>
    `调用过于频繁：${whose(of("per"))}${every(of("seconds"))}最多 ${of("calls")} 次（${ruledBy(of("limit"))}）；本次未执行，请 ${seconds(of("retry_after"))} 秒后再试`,
  concurrency_exceeded: (of) =>
    `同时执行过多：${whose(of("per"))}最多 ${of("most")} 个（${ruledBy(of("limit"))}）；本次未执行，请等其他调用结束后再试`,
  arguments_unfit: () => "参数不符合函数要求，请查看各字段旁的说明",
  budget_exceeded: (of) =>
    `本次需要 ${of("amount")}，而${whose(of("per"))}在 ${of("period")} 的额度 ${of("most")} 只剩 ${of("left")}，请联系限额 ${of("limit")} 的负责人`,
  budget_exceeded_once: (of) =>
    `本次需要 ${of("amount")}，而单次最多 ${of("most")}，请联系限额 ${of("limit")} 的负责人`,
  budget_uncountable: (of) => `${of("path")} 计入额度，请填写一个数字`,
  function_unknown: (of) =>
    `${of("scope")} 没有游戏服提供 ${of("function")}${of("elsewhere") ? `（它存在于 ${of("elsewhere")}）` : ""}，请检查函数 ID，并确认游戏服已启动且连接到代理`,
  agents_away: (of) =>
    `${of("scope")} 暂时没有代理能处理 ${of("function")}：${of("agents")} 提供过它但当前未连接，恢复后再试`,
  agents_returning: (of) =>
    `${of("scope")} 暂时没有游戏服提供 ${of("function")}：服务器刚刚重启，代理可能正在重新连接；本次未执行，请稍后再试`,
  game_servers_away: (of) =>
    `${of("scope")} 没有正常的游戏服提供 ${of("function")}（${of("names")} 无响应或正在下线）；本次未执行，恢复后再试`,
  version_unknown: (of) => `${of("function")} 在 ${of("scope")} 没有版本 ${of("version")}，现有 ${of("versions")}`,
  target_unknown: (of) => `${of("target")} 在 ${of("scope")} 不提供 ${of("function")}`,
  target_ambiguous: (of) =>
    `有两个游戏服都叫 ${of("target")}（代理 ${of("agents")}），无法判断指的是哪一个；本次未执行，请为它们设置不同的 ID`,
  target_missing: () => "请选择目标游戏服",
  hash_key_missing: () => "请填写用于选择游戏服的哈希键",
  key_reused: () => "此幂等键已用于其他操作，请重新发送",
  key_pending: (of) => `使用此幂等键的调用 ${of("call_id")} 尚无结果，请稍后再查`,

  approval_closed: (of) => `${of("approval")} 已有结论（${STATES[of("state")] ?? of("state")}）`,
  approval_expired: (of) => `${of("approval")} 已过期，需要重新申请`,
  approval_drifted: (of) => `${of("approval")} 不再有效：申请之后${of("what") ? parts(of("what")) : "内容"}发生了变化`,
  approval_changed: (of) => `${of("approval")} 已不是你看到的内容，请重新查看`,
  approval_own: () => "这是你自己发起的请求，必须由他人决定",
  approval_others: (of) => `只有发起人 ${of("requester")} 可以撤回，你可以拒绝它`,
  approval_not_asked: (of) => `此请求须由指定的审批人（${of("wanted")}）决定，你不在其中`,
  approval_twice: () => "你已批准过，每位审批人只计一次",
  changed: (of) => `${PARTS[of("what")] ?? of("what")}发生了变化`,
  approvals_too_many: (of) => `你已有 ${of("most")} 个请求等待审批，请先撤回一些`,
  proof_needed: () => "请先用身份验证器的验证码确认身份，然后在 5 分钟内批准",
  people_only: () => "只有真人可以审批：请登录，或使用你账号的令牌",

  not_signed_in: () => "尚未登录",
  session_ended: () => "会话已结束，请重新登录",
  sign_in_wrong: () => "用户名或密码错误",
  password_wrong: () => "密码错误",
  code_needed: () => "还需要身份验证器的验证码，或一个恢复码",
  code_wrong: () => "验证码错误或已被使用：请等待下一个验证码，或使用恢复码",
  codes_too_many: (of) => `验证码错误次数过多，请 ${seconds(of("retry_after"))} 秒后再试，或使用恢复码`,
  tries_too_many: (of) => `尝试次数过多，请 ${seconds(of("retry_after"))} 秒后再试`,
  signing_in_busy: () => "当前登录人数过多，请几秒后再试",
  setup_over: () => "此初始化链接已使用、已过期或不存在，请重启服务器获取新链接",
  invitation_over: () => "此邀请已使用、已过期或不存在，请索取新的邀请",
  foreign_page: () => "请求不是从本页面发出的，请重新加载页面",
  signed_in_long_ago: () => "登录时间过久，请退出并重新登录后再操作",

  stale: () => "内容已被他人修改，请先重新读取",
  account_exists: (of) => `账号 ${of("name")} 已存在，请换一个用户名`,
  account_own: () => "这是你自己的账号，请由其他管理员操作",
  account_disabled: () => "此账号已停用，请先启用",
  second_factor_exists: () => "你已启用双重验证，更换前请先用验证码移除",
  role_bound: (of) => `角色 ${of("role")} 仍有 ${of("bindings")} 个绑定（如 ${of("subject")}），请先移除`,
  role_built_in: (of) => `角色 ${of("role")} 是内置角色，请复制后修改副本`,
  pack_unsigned: (of) => `功能包 ${of("pack")} 未签名：请用服务器信任的密钥签名，或允许未签名的功能包`,
  pack_needed: (of) => `${of("needing")} 依赖功能包 ${of("pack")}，请先停用它们`,

  requests_too_many: (of) =>
    `请求过于频繁：每位调用者每秒最多 ${of("per_second")} 次，请 ${seconds(of("retry_after"))} 秒后再试`,
  server_full: () => "服务器暂时繁忙，请稍后再试",

  chosen_only: (of) => `${agentOf(of)}只有这一个代理提供此函数${among(of)}`,
  chosen_less_busy: (of) => `${agentOf(of)}随机抽取的两个代理中较空闲的一个${among(of)}`,
  chosen_named: () => "已指定为目标",
  chosen_hash: (of) => `${agentOf(of)}与哈希键匹配得分最高${among(of)}`,
  chosen_canary: canary,
  chosen_all: everyone,
  not_chosen: () => "选择了其他游戏服",
  not_named: () => "指定的是其他游戏服",
  agent_disconnected: () => "所属代理未连接",
  agent_drains: () => "所属代理正在下线",
  version_other: (of) => `版本为 ${of("has")}，而不是 ${of("wanted")}`,
  game_server_ill: () => "对代理无响应，或正在下线",

  not_sent_in_time: () => "超时前未能发送，未执行，可以重新发送",
  no_answer_in_time: () => "在时限内没有收到应答，函数仍可能已经执行",
  lost_before: () => "发送之前与代理的连接中断，未执行，可以重新发送",
  lost_after: () => "发送之后与代理的连接中断，再次执行前请先确认是否已生效",
  caller_left_before: () => "调用者在发送之前已断开，未执行",
  caller_left: () => "调用者在收到应答之前已断开，函数仍可能已经执行",
  all_failed: () => "收到请求的游戏服全部失败，详情中列出各自的原因",
  record_gone: () => "对应调用的记录已不存在，请在游戏中确认是否已生效",
  end_unrecorded: () => "对应调用的结果没有记录，请在游戏中确认是否已生效",
  not_approved: (of) => `未执行：审批 ${of("approval")} ${STATES[of("state")] ?? of("state")}`,

  approval_rejected: (of) => `${of("by")} 已拒绝：${of("comment")}`,
  approval_withdrawn: (of) => `${of("by")} 已撤回${of("comment") && `：${of("comment")}`}`,
  approval_unanswered: () => "在期限内无人批准，请重新申请",

  field_missing: (of) => `请填写${FIELDS[of("field")] ?? ` ${of("field")}`}`,
  field_too_long: (of) => `${FIELDS[of("field")] ?? of("field")}过长，最多 ${of("most")} 个字符`,

  name_wrong: (of) => NAMES[of("field")] ?? `${of("field")} 的格式不正确`,
  too_many: (of) => `${MANY[of("field")] ?? of("field")}过多，最多 ${of("most")} 个`,
  out_of_range: (of) => `${NUMBERS[of("field")] ?? of("field")}必须在 ${of("least")} 到 ${of("most")} 之间`,
  scope_missing: () => "请先选择游戏和环境",
  scope_wrong: (of) => `${of("given")} 不是有效的范围，请写作 游戏|环境，例如 demo|prod、demo|* 或 *|*`,
  permission_wrong: (of) =>
    `${of("given")} 不是有效的权限，请写作 领域:动作（如 packs:read）、function:函数ID，或以 * 结尾的模式`,
  function_pattern_wrong: (of) => `${of("given")} 无效，请填写函数 ID，或以 * 结尾的开头部分，例如 player.*`,
  subject_wrong: (of) => `${of("given")} 无效，请写作 user:用户名、group:组名、token:ID 或 machine:ID`,
  host_wrong: (of) => `${of("given")} 不是主机名或 IP 地址（不支持通配符）`,
  zone_unknown: (of) => `没有时区 ${of("given")}，请填写如 Asia/Shanghai 或 UTC`,
  duration_wrong: () => "请填写时长，例如 30s、15m、12h 或 7d",
  lifetime_wrong: (of) => LIVES[of("of")] ?? "有效期超出范围",
  limit_empty: () => "请至少设置频率、并发或额度之一，否则限额不起作用",
  limit_rate_wrong: () => "频率须大于 0 次，时间窗口最长一周",
  limit_name_taken: (of) => `${of("name")} 保留给函数描述自带的限额，请换一个名称`,
  window_reason_wrong: (of) => `请填写原因（会显示给调用者），最多 ${of("most")} 个字符`,
  window_ends_early: () => "结束时间必须晚于开始时间，且不能是过去的时间",
  window_too_far: () => "维护最多可提前一年计划",
  secret_empty: () => "密钥值不能为空",
  secret_too_large: (of) => `密钥最多 ${of("most")} 字节`,
  password_short: (of) => `密码至少 ${of("least")} 个字符，建议使用多个单词`,
  password_easy: () => "此密码容易被猜到，请换一个，建议使用多个单词",
  password_long: (of) => `密码最多 ${of("most")} 字节`,
  code_misshapen: () => "验证码为 6 位数字，恢复码为 16 位字母和数字",

  bulk_of_jobs: (of) => `${of("function")} 是任务，批量只能执行立即返回的函数`,
  file_empty: () => "文件没有数据行，每次调用对应一行",
  file_too_large: (of) => `文件超过 ${of("most")} 字节，请拆分`,
  file_rows_too_many: (of) => `超过 ${of("most")} 行，请拆分文件`,
  file_cell_too_long: (of) => `第 ${of("line")} 行：单元格超过 ${of("most")} 个字符`,
  file_row_too_long: (of) => `第 ${of("line")} 行：单行超过 ${of("most")} 字节`,
  file_not_utf8: (of) => `第 ${of("line")} 行：不是 UTF-8 文本，请将文件另存为 UTF-8`,
  file_quote_open: (of) => `第 ${of("line")} 行：引号开始的字段没有结束`,
  file_quote_wrong: (of) =>
    `第 ${of("line")} 行：引号不符合 CSV 格式，请将整个字段加引号，其中的引号写两次，例如 "a ""b"" c"`,
  column_unnamed: (of) => `表头：第 ${of("column")} 列没有名称，或名称中有空的部分`,
  column_name_too_long: (of) => `表头：第 ${of("column")} 列的名称超过 ${of("most")} 字节`,
  column_twice: (of) => `表头：列 ${of("column")} 重复`,
  column_and_field: (of) => `表头：列 ${of("column")} 与其字段 ${of("field")} 不能同时出现`,
  columns_missing: (of) => `表头：缺少函数必填的列 ${of("columns")}`,
  column_unknown: (of) => `表头：函数没有参数 ${of("column")}，可用的有 ${of("known")}（各列以逗号分隔）`,
};

export const chineseKinds: Kinds = {
  invalid_argument: { title: "请求有误", next: "请先修正，原样重发不会成功。" },
  payload_too_large: { title: "内容过大", next: "请减少单次发送的内容。" },
  unauthenticated: { title: "未登录", next: "请重新登录。" },
  permission_denied: { title: "没有权限", next: "请向管理员申请权限，或请有权限的人操作。" },
  not_found: { title: "不存在", next: "它可能已被删除、从未存在，或你无权查看。" },
  method_not_allowed: { title: "页面与服务器不匹配", next: "请重新加载页面。" },
  conflict: { title: "与现有内容冲突", next: "请先查看现有内容，再重试。" },
  failed_precondition: { title: "当前无法执行", next: "请先按说明处理，再重试。" },
  awaiting_approval: { title: "需要他人批准", next: "批准后会自动执行。" },
  rate_limited: { title: "操作过于频繁", next: "本次未执行，请稍后再试。" },
  unavailable: { title: "本次未执行", next: "恢复后可以放心重试。" },
  deadline_exceeded: { title: "已超时", next: "游戏服可能已经执行，重试前请先确认。" },
  canceled: { title: "已取消", next: "取消前可能已经开始执行，重试前请先确认。" },
  outcome_unknown: { title: "结果未知", next: "重试前请先在游戏中确认是否已执行。" },
  function_rejected: { title: "函数拒绝了请求", next: "请按上述说明调整后再试。" },
  handler_failed: { title: "函数执行出错", next: "请将调用 ID 告知函数的开发者。" },
  unimplemented: { title: "服务器不支持此操作", next: "更新的版本可能支持。" },
  internal: { title: "服务器内部错误", next: "请将此处显示的 ID 告知运维人员。" },
};
