/*
 * The lease protocol of one device, for spin: what ARCHITECTURE.md says in words and the code does, small enough that every
 * order of everything can be tried. The names are those of the code: Holder.applyDesired, admitLease, withFloorOf, recover,
 * Devices.hello, endSessions, observe, judgeCheckpoint.
 *
 * What is left out: a second device, a takeover of a link by another process (DECISIONS: identity conflict), offline rules, a
 * right that is altered on the device, disks that fail. The random runs beside this have those.
 *
 * How much may happen is bounded. With one part taken out an assertion must fail. QUIET lets nothing happen while the agent works
 * but its death: runs of that kind are replayed against the code.
 */
/* How much may happen; spin.ts says how much. `links` is also the number of nonces, `snapshots` of states of the agent that are
   put back, `copies` whether a copy of the ledger is made that takes its place or, with two servers, is served beside it. */
byte gives, revokes, extends, links, kills, mostReboots, snapshots, copies, mostRecovers, injects, mostLosses, ticks, servers;

/* Which part is taken out; 0: none. The names are read by spin.ts. */
byte broken;
bool begun;
#define FLOOR_NOT_SAVED 1
#define FLOOR_NOT_RAISED 2
#define FLOOR_IGNORED 3
#define NONCE_IGNORED 4
#define SIGNATURE_IGNORED 5
#define LATER_DEADLINE 6
#define INTENT_NOT_SAVED 7
#define ARMED_AFTER 8
#define STRANGERS_STAY 9
#define CLAIMED_BEFORE_SAVED 10
#define REVOKE_NOT_COMMITTED 11
#define REVOKE_WITHOUT_GENERATION 12
#define REVOKED_EPOCH_NOT_RAISED 13
#define EFFECTIVE_TOO_EARLY 14
#define ROLLBACK_IGNORED 15
#define FORGOTTEN_LOG_IGNORED 16
#define OTHER_HISTORY_BELIEVED 17
#define MOST_LINKS 4
#define QUEUE 4

#define SESSIONS 2
#define DURATION 2
#define LATE 1 /* how long after a deadline the independent remover acts */

mtype = { none, starting, active_, ending, ended, intended, held, removing }
mtype = { hello, observed, verdict, desired, checkpoint }

typedef Ledger {
  byte incarnation; bool rolledBack;
  byte generation; byte epoch; byte revokedEpoch; /* of the device */
  byte size;                                      /* of the audit log */
  mtype state[SESSIONS]; byte sessionEpoch[SESSIONS]; byte endingGeneration[SESSIONS]; byte expiresAt[SESSIONS]
}

/* A checkpoint: whose log, how long, of which incarnation. Size 0 means that there is none. */
typedef Checkpoint { bit log; byte size; byte incarnation }

typedef Kept {
  byte boot; byte incarnation; byte floorGeneration; byte floorEpoch;
  Checkpoint witnessed; Checkpoint desiredCheckpoint;
  mtype phase[SESSIONS]; byte epoch[SESSIONS]; byte deadline[SESSIONS]; byte wallEnd[SESSIONS]; bool made[SESSIONS];
  byte over[SESSIONS]; /* 1: has ended, 2: was refused */
  bool seen[SESSIONS]  /* for the checks alone: a desired state has ended it */
}

/* ---- the server ---- */
Ledger ledger[2];
bool copied; byte forkedAt;
bit serving;

/* ---- the device ---- */
Kept state, disk, old;
bool right[SESSIONS]; bool armed[SESSIONS]; byte armedFor[SESSIONS];
byte boot = 1;
bool up, ready, working, snapshotTaken;
byte firstNonce, lastNonce; byte sentAt[MOST_LINKS + 1];
byte appliedIncarnation, appliedGeneration; bool refusing;
bool tickDue;

/* ---- the link ---- */
bool linked, joined; bit linkLedger; byte linkNonce, helloAt;
byte newestIncarnation, newestGeneration, witnessedSize;
bool ahead; /* LinkHub: by its hello the device has seen what the ledger has lost */
bool lossy; /* something was lost on this link */
chan down = [QUEUE] of { mtype, byte, byte, byte, bit, byte, bool, byte, byte, byte, byte, byte, byte, byte, byte, byte, byte };
chan upward = [QUEUE] of { mtype, byte, byte, byte, bit, byte, byte, bit, byte, byte };

/* ---- what somebody on the way has kept: one desired state ---- */
bool caught; byte cInc, cGen, cRev; bit cLog; byte cSize, cLeaseInc, cNonce, cE0, cD0, cX0, cE1, cD1, cX1, cKept;

byte now;
/* ---- for the checks ---- */
bool over[SESSIONS];       /* its end was decided and answered */
bool overAtStart[SESSIONS];/* ... before this process began */
bool told[SESSIONS];       /* the device has said that it is gone and stays away */
bool lost[SESSIONS];       /* nobody is left who could know */
bool wasHeld[SESSIONS]; byte latestEnd[SESSIONS];
bool takenFrom[2]; byte takenIncarnation; bool stateWasRestored;

byte nonces; bool due;
byte given, revoked, extended, killed, reboots, rollbacks, recovers, injected, losses, restores;

#define LIVE(l, s) (ledger[l].state[s] == starting || ledger[l].state[s] == active_)
#define KNOWS(l, c) ((c.log == l && c.size <= ledger[l].size) || (c.log != l && c.size <= forkedAt))
#define ROOM (len(down) + 2 <= QUEUE && len(upward) + 2 <= QUEUE)
#define FREE (!working && (!tickDue))
#ifdef QUIET
#define KILLABLE (ready && !tickDue)
#define LATER (wasHeld[0] || wasHeld[1])
#define SELDOM (joined || wasHeld[0] || wasHeld[1])
#define MAY (FREE && ROOM && (ready || !up))
#else
#define KILLABLE (up && ROOM)
#define SELDOM true
#define LATER true
#define MAY ROOM
#endif

inline tell() {
#ifdef QUIET
  printf("state {\"rights\":[%d,%d],\"armed\":[%d,%d],", right[0], right[1], armed[0], armed[1]);
  printf("\"ledger\":[%d,%d,%d,%d,%d],", ledger[serving].incarnation, ledger[serving].rolledBack,
    ledger[serving].generation, ledger[serving].epoch, ledger[serving].revokedEpoch);
  printf("\"sessions\":[\"%e\",\"%e\"],", ledger[serving].state[0], ledger[serving].state[1]);
  printf("\"up\":%d,\"floor\":[%d,%d,%d],", up, state.incarnation, state.floorGeneration, state.floorEpoch);
  printf("\"phases\":[\"%e\",\"%e\"],\"over\":[%d,%d],", state.phase[0], state.phase[1], state.over[0], state.over[1]);
  printf("\"disk\":[%d,%d,%d],\"onDisk\":[\"%e\",\"%e\"],", disk.incarnation, disk.floorGeneration, disk.floorEpoch, disk.phase[0], disk.phase[1]);
  printf("\"applied\":[%d,%d],\"refusing\":%d}\n", appliedIncarnation, appliedGeneration, refusing)
#else
  skip
#endif
}

#define COPY_CHECKPOINT(to, from) to.log = from.log; to.size = from.size; to.incarnation = from.incarnation

#define COPY_GRANT(to, from, s) \
  to.phase[s] = from.phase[s]; to.epoch[s] = from.epoch[s]; to.deadline[s] = from.deadline[s]; \
  to.wallEnd[s] = from.wallEnd[s]; to.made[s] = from.made[s]; to.over[s] = from.over[s]; to.seen[s] = from.seen[s]

#define COPY_KEPT(to, from) \
  to.boot = from.boot; to.incarnation = from.incarnation; \
  to.floorGeneration = from.floorGeneration; to.floorEpoch = from.floorEpoch; \
  COPY_CHECKPOINT(to.witnessed, from.witnessed); COPY_CHECKPOINT(to.desiredCheckpoint, from.desiredCheckpoint); \
  COPY_GRANT(to, from, 0); COPY_GRANT(to, from, 1)

/* What the agent writes of its state. */
inline save() {
  d_step {
    printf("step save\n");
    COPY_KEPT(disk, state)
    ;
    if
    :: broken == FLOOR_NOT_SAVED -> disk.floorGeneration = 0; disk.floorEpoch = 0; disk.desiredCheckpoint.size = 0; disk.witnessed.size = 0
    :: else
    fi
  }
}

/* ---- the server ---- */

inline drain() {
  do :: down?_, _, _, _, _, _, _, _, _, _, _, _, _, _, _, _, _ :: empty(down) -> break od;
  do :: upward?_, _, _, _, _, _, _, _, _, _ :: empty(upward) -> break od
}

inline cut() {
  linked = false; joined = false; lossy = false; ahead = false; linkNonce = 0; helloAt = 0;
  newestIncarnation = 0; newestGeneration = 0; witnessedSize = 0; linkLedger = 0; drain()
}

inline giveEpoch(l, s) { ledger[l].epoch++; ledger[l].sessionEpoch[s] = ledger[l].epoch }

#define DUE(l, s) (ledger[l].expiresAt[s] > now)
#define LEASED(l, s) (LIVE(l, s) && !ledger[l].rolledBack && DUE(l, s))

/* Beside the sessions that are kept: whether anything is said to end. */
#define NOTICES 4

/* LinkHub.pushDesired */
inline push(l) {
  if
  :: linked && joined && linkLedger == l ->
     down!desired(ledger[l].incarnation, ledger[l].generation, ledger[l].revokedEpoch,
       l, (ledger[l].rolledBack -> 0 : ledger[l].size), true, ledger[l].incarnation, linkNonce,
       (LEASED(l, 0) -> ledger[l].sessionEpoch[0] : 0), (LEASED(l, 0) -> ledger[l].expiresAt[0] - helloAt : 0), ledger[l].expiresAt[0],
       (LEASED(l, 1) -> ledger[l].sessionEpoch[1] : 0), (LEASED(l, 1) -> ledger[l].expiresAt[1] - helloAt : 0), ledger[l].expiresAt[1],
       (ledger[l].rolledBack && ledger[l].state[0] == active_ -> 1 : 0) + (ledger[l].rolledBack && ledger[l].state[1] == active_ -> 2 : 0) +
       (ledger[l].state[0] == ending || ledger[l].state[1] == ending -> NOTICES : 0), 0)
  :: else
  fi
}

inline renewStarting(l) {
  if :: ledger[l].state[0] == starting -> giveEpoch(l, 0) :: else fi;
  if :: ledger[l].state[1] == starting -> giveEpoch(l, 1) :: else fi
}

inline nextGeneration(l) { if :: broken != REVOKE_WITHOUT_GENERATION -> ledger[l].generation++ :: else fi }

/* endSessions, of one; all that end together have one generation. The caller renews what is starting, and pushes. */
inline endSession(l, s) {
  if
  :: ledger[l].sessionEpoch[s] > ledger[l].revokedEpoch && broken != REVOKED_EPOCH_NOT_RAISED ->
     ledger[l].revokedEpoch = ledger[l].sessionEpoch[s]
  :: else
  fi;
  ledger[l].state[s] = ending; ledger[l].endingGeneration[s] = ledger[l].generation; ledger[l].size++
}

/* The ledger claims an end: then the device must not hold the right. */
inline confirmEnd(l, s) {
  assert(!right[s]); /* I5 */
  ledger[l].state[s] = ended; ledger[l].size++
}

/* AuditLog.hasForgotten: whether a checkpoint that was signed is not in the log any more. */
#define FORGOTTEN(l, cpLog, cpSize, cpInc) \
  (cpSize > 0 && cpInc >= ledger[l].incarnation && !((cpLog == l && cpSize <= ledger[l].size) || (cpLog != l && cpSize <= forkedAt)))

/* noteRollback, proven */
inline rollbackFound(l) {
  if :: !ledger[l].rolledBack -> ledger[l].rolledBack = true; ledger[l].size++ :: else fi
}

inline endEverything(l) {
  if :: LIVE(l, 0) || LIVE(l, 1) -> nextGeneration(l) :: else fi;
  s = 0;
  do
  :: s < SESSIONS -> if :: LIVE(l, s) -> endSession(l, s); over[s] = true :: else fi; s++
  :: else -> s = 0; break
  od
}

inline chooseLedger() {
  if
  :: l = serving
  :: servers == 2 && copied -> l = 1
  fi
}

/* observe, of one session. The end of what the device has ended by itself takes a generation. */
inline observeOne(l, s) {
  if
  :: ledger[l].state[s] == starting && (uHeld & (1 << s)) ->
     assert(wasHeld[s]); /* I5 */
     ledger[l].state[s] = active_; ledger[l].size++
  :: !(ledger[l].state[s] == starting && (uHeld & (1 << s))) && uOver[s] > 0 && LIVE(l, s) ->
     if
     :: ledger[l].state[s] == starting && uOver[s] == 2 ->
        ledger[l].generation++; ledger[l].endingGeneration[s] = ledger[l].generation; over[s] = true; confirmEnd(l, s)
     :: else ->
        nextGeneration(l); endSession(l, s); over[s] = true; confirmEnd(l, s); renewStarting(l)
     fi;
     pushes = true
  :: ledger[l].state[s] == ending && broken == EFFECTIVE_TOO_EARLY -> confirmEnd(l, s)
  :: ledger[l].state[s] == ending && broken != EFFECTIVE_TOO_EARLY && !(uHeld & (1 << s)) &&
     (uOver[s] > 0 || (uInc == ledger[l].incarnation && (!ahead || uLog) && uGen >= ledger[l].endingGeneration[s])) ->
     if :: uOver[s] == 0 -> told[s] = true :: else fi;
     confirmEnd(l, s)
  :: else
  fi
}

active proctype Server() {
  byte s = 0, uInc = 0, uGen = 0, uHeld = 0, uEpoch = 0, uSize = 0, uCpInc = 0; byte uOver[SESSIONS]; bit uLog = 0; byte uNonce = 0;
  bit l; bool pushes = false; bool forgotten = false;
  begun;
  do
  /* Sessions.grant */
  :: atomic { given < gives && MAY ->
       tell();
       chooseLedger();
       if
       :: ledger[l].state[given] == none && !ledger[l].rolledBack ->
          printf("do give %d\n", given);
          ledger[l].generation++; ledger[l].state[given] = starting; giveEpoch(l, given);
          ledger[l].expiresAt[given] = now + DURATION; ledger[l].size++;
          if :: ledger[l].expiresAt[given] > latestEnd[given] -> latestEnd[given] = ledger[l].expiresAt[given] :: else fi;
          given++; push(l)
       :: else
       fi; l = 0 }
  /* Sessions.revoke: answered when it is in the ledger. */
  :: atomic { revoked < revokes && MAY && SELDOM ->
       tell();
       chooseLedger(); if :: s = 0 :: s = 1 fi;
       if
       :: LIVE(l, s) ->
          printf("do revoke %d\n", s); revoked++;
          if :: broken != REVOKE_NOT_COMMITTED -> nextGeneration(l); endSession(l, s); renewStarting(l); push(l) :: else fi;
          /* Of two servers the one that knows that it was rolled back is not to be believed in what it takes away, either. */
          over[s] = over[s] || servers < 2 || !ledger[l].rolledBack
       :: else
       fi; s = 0; l = 0 }
  :: atomic { extended < extends && MAY ->
       tell();
       if :: s = 0 :: s = 1 fi; l = serving;
       if
       :: LIVE(l, s) && !ledger[l].rolledBack && DUE(l, s) ->
          printf("do extend %d\n", s); extended++;
          ledger[l].generation++; giveEpoch(l, s); ledger[l].size++; ledger[l].expiresAt[s] = ledger[l].expiresAt[s] + 1;
          if :: ledger[l].expiresAt[s] > latestEnd[s] -> latestEnd[s] = ledger[l].expiresAt[s] :: else fi;
          push(l)
       :: else
       fi; s = 0; l = 0 }
  /* A message of the device's is taken in. */
  :: atomic { linked && MAY && len(upward) > 0 ->
       tell(); printf("do up\n"); l = linkLedger;
       if
       :: upward?hello(uInc, uGen, uEpoch, uLog, uSize, uCpInc, _, _, uNonce) ->
          /* Devices.hello. Another epoch for each live session: its lease answers this nonce. */
          forgotten = FORGOTTEN(l, uLog, uSize, uCpInc);
          if :: broken == FORGOTTEN_LOG_IGNORED -> forgotten = false :: else fi;
          if :: forgotten && broken != ROLLBACK_IGNORED -> rollbackFound(l) :: else fi;
          if
          :: forgotten || uInc > ledger[l].incarnation ||
             (uInc == ledger[l].incarnation && (uGen > ledger[l].generation || uEpoch > ledger[l].epoch)) ->
             ahead = (broken != OTHER_HISTORY_BELIEVED)
          :: else
          fi;
          if :: LIVE(l, 0) -> giveEpoch(l, 0) :: else fi;
          if :: LIVE(l, 1) -> giveEpoch(l, 1) :: else fi;
          joined = true; helloAt = now; linkNonce = uNonce;
          /* LinkHub.sendCheckpoint */
          if
          :: ledger[l].size > 0 && !(state.witnessed.size == ledger[l].size && state.witnessed.incarnation == ledger[l].incarnation &&
               (state.witnessed.log == l || state.witnessed.size <= forkedAt)) ->
             down!checkpoint(ledger[l].incarnation, 0, 0, l, ledger[l].size, true, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)
          :: else
          fi;
          push(l); forgotten = false
       :: upward?observed(uInc, uGen, uHeld, uLog, uSize, uCpInc, _, uOver[0], uOver[1]) ->
          if
          :: joined ->
             pushes = false;
             observeOne(l, 0); observeOne(l, 1);
             if :: pushes -> push(l) :: else fi
          :: else
          fi; pushes = false
       :: upward?verdict(_, _, _, uLog, uSize, uCpInc, _, _, _) ->
          if :: joined && FORGOTTEN(l, uLog, uSize, uCpInc) -> rollbackFound(l) :: else fi
       fi;
       l = 0; uInc = 0; uGen = 0; uHeld = 0; uEpoch = 0; uSize = 0; uCpInc = 0; uLog = 0; uNonce = 0; uOver[0] = 0; uOver[1] = 0 }
  :: atomic { copies > 0 && !copied && MAY && SELDOM -> tell(); printf("do backup\n");
       copied = true; forkedAt = ledger[0].size;
       ledger[1].incarnation = ledger[0].incarnation; ledger[1].rolledBack = ledger[0].rolledBack;
       ledger[1].generation = ledger[0].generation; ledger[1].epoch = ledger[0].epoch; ledger[1].revokedEpoch = ledger[0].revokedEpoch;
       ledger[1].size = ledger[0].size;
       do
       :: s < SESSIONS ->
          ledger[1].state[s] = ledger[0].state[s]; ledger[1].sessionEpoch[s] = ledger[0].sessionEpoch[s];
          ledger[1].endingGeneration[s] = ledger[0].endingGeneration[s]; ledger[1].expiresAt[s] = ledger[0].expiresAt[s]; s++
       :: else -> s = 0; break
       od }
  /* Somebody puts the copy in the place of the ledger, by hand. What no device has heard of is lost. */
  :: atomic { copied && servers < 2 && serving == 0 && MAY && SELDOM -> tell(); printf("do rollback\n");
       serving = 1; cut();
       do
       :: s < SESSIONS ->
          if :: over[s] && !disk.seen[s] && !told[s] -> lost[s] = true :: else fi; s++
       :: else -> s = 0; break
       od }
  /* recoverLedger */
  :: atomic { recovers < mostRecovers && MAY && SELDOM ->
       tell(); chooseLedger();
       printf("do recover\n"); recovers++;
       if :: linkLedger == l -> cut() :: else fi;
       endEverything(l); ledger[l].incarnation++; ledger[l].rolledBack = false; ledger[l].size++; l = 0 }
  od
}

/* ---- the network, and what happens to machines ---- */

#define FORGET(s) state.phase[s] = none; state.epoch[s] = 0; state.deadline[s] = 0; state.wallEnd[s] = 0; state.made[s] = false

/* kill -9: what was not written is forgotten. */
inline die() {
  up = false; ready = false; working = false; tickDue = false; refusing = false; appliedIncarnation = 0; appliedGeneration = 0; firstNonce = 0; lastNonce = 0;
  cut();
  state.boot = 0; state.incarnation = 0; state.floorGeneration = 0; state.floorEpoch = 0;
  state.witnessed.size = 0; state.desiredCheckpoint.size = 0; state.witnessed.log = 0; state.desiredCheckpoint.log = 0;
  state.witnessed.incarnation = 0; state.desiredCheckpoint.incarnation = 0;
  FORGET(0); FORGET(1); state.over[0] = 0; state.over[1] = 0; state.seen[0] = false; state.seen[1] = false
}

#define UNTOLD(s) (over[s] && right[s] && !lost[s])

active proctype World() {
  byte s = 0; mtype kind = none;
  begun;
  do
  :: atomic { up && ready && !linked && lastNonce < links && nonces < links && MAY -> tell(); 
       if :: linkLedger = serving :: servers == 2 && copied -> linkLedger = 1 fi;
       printf("do link\n"); linked = true; joined = false;
       nonces++; lastNonce = nonces; if :: firstNonce == 0 -> firstNonce = nonces :: else fi; sentAt[nonces] = now;
       upward!hello(state.incarnation, state.floorGeneration, state.floorEpoch, state.desiredCheckpoint.log,
         state.desiredCheckpoint.size, state.desiredCheckpoint.incarnation, 0, 0, nonces) }
  :: atomic { linked && MAY ->
#ifdef QUIET
       /* Chance would have it that nothing else happened. */
       if :: skip :: skip :: skip :: skip :: skip :: skip :: skip :: skip :: skip :: skip :: skip :: tell(); printf("do cut\n"); cut() fi }
#else
       cut() }
#endif
  :: atomic { linked && joined && losses < mostLosses && MAY && len(down) > 0 -> tell(); printf("do lose down\n"); losses++; lossy = true;
       down?_, _, _, _, _, _, _, _, _, _, _, _, _, _, _, _, _ }
  :: atomic { linked && joined && losses < mostLosses && MAY && len(upward) > 0 -> tell(); printf("do lose up\n"); losses++; lossy = true;
       upward?_, _, _, _, _, _, _, _, _, _ }
  /* Somebody on the way keeps a desired state ... */
  :: atomic { injects > 0 && !caught && linked && joined && MAY && len(down) > 0 -> tell();
       down?<kind, cInc, cGen, cRev, cLog, cSize, _, cLeaseInc, cNonce, cE0, cD0, cX0, cE1, cD1, cX1, cKept, _>;
       if
       :: kind == desired -> printf("do catch\n"); caught = true
       :: else -> cInc = 0; cLog = 0; cSize = 0
       fi; kind = none }
  /* ... and sends it again, on this link or another one, */
  :: atomic { caught && linked && joined && injected < injects && MAY -> tell(); printf("do repeat\n"); injected++;
       down!desired(cInc, cGen, cRev, cLog, cSize, true, cLeaseInc, cNonce, cE0, cD0, cX0, cE1, cD1, cX1, cKept, 1) }
  /* ... or only its leases, as if everything else were as the device has it: only leases are signed, */
  :: atomic { caught && linked && joined && injected < injects && state.incarnation > 0 && MAY -> tell(); printf("do lease\n"); injected++;
       down!desired(state.incarnation, state.floorGeneration, state.floorEpoch, 0, 0, true, cLeaseInc, cNonce, cE0, cD0, cX0, cE1, cD1, cX1, 3, 1) }
  /* ... or a lease that is right in everything but whose key has signed it, or for which device. */
  :: atomic { linked && joined && injected < injects && state.incarnation > 0 && MAY -> tell(); printf("do forge\n"); injected++;
       down!desired(state.incarnation, state.floorGeneration, state.floorEpoch, 0, 0, false, state.incarnation, lastNonce,
         state.floorEpoch + 1, DURATION, now + DURATION, 0, 0, 0, 3, 1) }
  :: atomic { killed < kills && KILLABLE && SELDOM -> if :: !working -> tell() :: else fi; printf("do kill\n"); killed++; die() }
  :: atomic { snapshots > 0 && !snapshotTaken && disk.boot > 0 && MAY -> tell(); printf("do snapshot\n"); snapshotTaken = true; COPY_KEPT(old, disk) }
  :: atomic { snapshotTaken && restores < snapshots && MAY -> tell(); printf("do restore\n"); restores++; stateWasRestored = true;
       if :: up -> die() :: else fi; COPY_KEPT(disk, old);
       /* Who could know was the device; where the ledger has lost it too, nobody does. */
       do
       :: s < SESSIONS ->
          if :: over[s] && (serving == 1 || LIVE(serving, s)) -> lost[s] = true :: else fi;
          if :: servers == 2 && copied && over[s] -> lost[s] = true :: else fi;
          s++
       :: else -> s = 0; break
       od }
  :: atomic { reboots < mostReboots && MAY && SELDOM -> tell(); printf("do reboot\n"); reboots++; if :: up -> die() :: else fi; boot++;
       right[0] = false; right[1] = false; armed[0] = false; armed[1] = false; armedFor[0] = 0; armedFor[1] = 0 }
  /* Time goes on: the server ends what is due, the machine's removers do their work, and the agent has to tick. */
  :: atomic { now < ticks && FREE && MAY && LATER && (up -> ready : true) ->
       do
       :: s < SESSIONS ->
          assert(!right[s] || now < latestEnd[s] + (up -> 0 : LATE + 1)); /* I1 */
          s++
       :: else -> s = 0; break
       od;
       tell(); printf("do tick\n"); now++;
       if
       :: (LIVE(serving, 0) && !DUE(serving, 0)) || (LIVE(serving, 1) && !DUE(serving, 1)) -> nextGeneration(serving)
       :: else
       fi;
       do
       :: s < SESSIONS ->
          if :: armed[s] && now >= armedFor[s] + LATE -> right[s] = false :: else fi;
          if :: LIVE(serving, s) && !DUE(serving, s) -> endSession(serving, s); over[s] = true; due = true :: else fi; s++
       :: else -> s = 0; break
       od;
       if :: due -> renewStarting(serving); push(serving); due = false :: else fi;
       tickDue = up }
  /* I2: on a link that has lost nothing, when nothing is on its way, what is over is gone. */
  :: atomic { linked && joined && !lossy && ready && !working && len(down) == 0 && len(upward) == 0 &&
       linkLedger == serving && servers < 2 && (UNTOLD(0) || UNTOLD(1)) && !ledger[serving].rolledBack -> assert(false) }
  od
}

/* ---- the agent ---- */

#define HELD(s) (state.phase[s] == held || (state.phase[s] == removing && state.made[s]))

/* Holder.changed: the whole observed state goes up. */
inline changed() {
  isTold = true;
  if
  :: linked && len(upward) < QUEUE ->
     upward!observed((appliedGeneration == 0 -> state.incarnation : appliedIncarnation), appliedGeneration,
       (HELD(0) -> 1 : 0) + (HELD(1) -> 2 : 0), refusing, 0, 0, 0, state.over[0], state.over[1])
  :: else
  fi
}

inline claim() {
  if
  :: mInc > appliedIncarnation || mGen > appliedGeneration -> appliedIncarnation = mInc; appliedGeneration = mGen; isTold = false
  :: else
  fi
}

/* Holder.remove of everything in `ends`: gone and read back, recorded, told, then the removers are stood down. */
inline removeAll(byServer) {
  s = 0;
  do
  :: s < SESSIONS -> if :: ends[s] -> atomic { printf("step remove\n"); right[s] = false } :: else fi; s++
  :: else -> break
  od;
  s = 0;
  do
  :: s < SESSIONS ->
     if
     :: ends[s] ->
        atomic {
          if :: byServer -> FORGET(s) :: !byServer -> FORGET(s); state.over[s] = 1 fi;
          save() };
        atomic {
          if :: byServer && !(s == 0 && ends[1]) -> claim() :: else fi;
          changed() };
        atomic { printf("step disarm\n"); armed[s] = false; armedFor[s] = 0; ends[s] = false }
     :: else
     fi; s++
  :: else -> s = 0; break
  od
}

inline endOne(s) { if :: state.phase[s] != none -> ends[s] = true; state.phase[s] = removing :: else fi }

inline endAll() { endOne(0); endOne(1) }

/* Whether a desired state names a session; of a lease that nobody of ours has signed not even that is known. */
#define SOUND (mSound || broken == SIGNATURE_IGNORED)
#define WANTED(s, e) ((SOUND && e > 0) || (mKept & (1 << s)))

inline raiseFor(s, e) {
  if
  :: !WANTED(s, e) && state.phase[s] != none && mInc == state.incarnation && state.epoch[s] > state.floorEpoch -> state.floorEpoch = state.epoch[s]
  :: else
  fi
}

inline endUnlessWanted(s, e) {
  if
  :: !WANTED(s, e) ->
     if :: over[s] && !mInjected && !LIVE(mLog, s) && mGen >= ledger[mLog].endingGeneration[s] -> state.seen[s] = true :: else fi;
     state.over[s] = 0; endOne(s)
  :: else
  fi
}

/* Holder.take of one lease. */
inline take(s, e, d, x) {
  if
  :: e == 0 || state.over[s] > 0 || state.phase[s] == removing -> skip
  :: else ->
     if
     :: !SOUND -> skip /* verifyDesired has left it out */
     :: else ->
        if
        /* admitLease */
        :: (mLeaseInc != mInc
           || ((mNonce < firstNonce || mNonce > lastNonce || firstNonce == 0) && broken != NONCE_IGNORED)
           || (state.phase[s] == none && e <= state.floorEpoch && broken != FLOOR_IGNORED)
           || sentAt[mNonce] + d <= now || x <= now) ->
           if
           :: state.phase[s] == none -> atomic { state.over[s] = 2; save() }; atomic { changed() }
           :: else
           fi
        :: else ->
           if
           :: state.phase[s] == held && state.wallEnd[s] == x -> state.epoch[s] = e; dirty = true
           :: else -> make(s, e, d, x)
           fi
        fi
     fi
  fi
}

#define END(d, x) (broken == LATER_DEADLINE -> sentAt[mNonce] + d + 1 : (sentAt[mNonce] + d < x -> sentAt[mNonce] + d : x))

inline arm(s) { atomic { printf("step arm\n"); armed[s] = true; armedFor[s] = state.deadline[s] } }

/* Holder.make: intent recorded, remover armed, right made and read back, recorded as held. */
inline make(s, e, d, x) {
  atomic { state.phase[s] = intended; state.epoch[s] = e; state.deadline[s] = END(d, x); state.wallEnd[s] = x;
    if :: broken != INTENT_NOT_SAVED -> save() :: else fi;
    claim() };
  if :: broken != ARMED_AFTER -> arm(s) :: else fi;
  atomic {
    printf("step grant\n"); right[s] = true; wasHeld[s] = true;
    /* I3: signed for this device, this incarnation, this process; above the floor unless it is there already. */
    assert(mSound); assert(mLeaseInc == state.incarnation);
    assert(firstNonce > 0 && mNonce >= firstNonce && mNonce <= lastNonce);
    /* I2, I4, I11, I12: what is over does not come back to a device that has seen it, or that began after it. */
    assert(!(over[s] && !lost[s] && (state.seen[s] || (servers < 2 && overAtStart[s]))));
    /* I5, I14 */
    assert(disk.phase[s] == intended && disk.epoch[s] == e);
    assert(armed[s] && armedFor[s] <= latestEnd[s]);
    /* I21: of two servers with one key only one is believed. */
    if
    :: !mInjected && !stateWasRestored && copied && mSize > forkedAt ->
       if :: mInc > takenIncarnation -> takenFrom[0] = false; takenFrom[1] = false; takenIncarnation = mInc :: else fi;
       takenFrom[mLog] = true; assert(!(takenFrom[0] && takenFrom[1]))
    :: else
    fi };
  if :: broken == ARMED_AFTER -> arm(s) :: else fi;
  atomic { state.phase[s] = held; state.made[s] = true; save() };
  atomic { changed(); dirty = false }
}

#define WITNESSED 1
#define REFUSED 2
#define APPLIED 3

active proctype Agent() {
  mtype kind = none; byte s = 0; byte doing = 0; bool ends[SESSIONS]; bool dirty = false; bool news = false; bool later = false; bool isTold = false;
  byte mInc, mGen, mRev, mSize, mLeaseInc, mNonce, mE0, mD0, mX0, mE1, mD1, mX1, mKept, mInjected; bit mLog; bool mSound;
begin:
  atomic {
    s = 0; ends[0] = false; ends[1] = false; dirty = false; news = false; later = false; isTold = false; doing = 0; kind = none; mInc = 0; mGen = 0; mRev = 0; mSize = 0;
    mLeaseInc = 0; mNonce = 0; mE0 = 0; mD0 = 0; mX0 = 0; mE1 = 0; mD1 = 0; mX1 = 0; mKept = 0; mInjected = 0; mLog = 0; mSound = false;
    begun && !up -> tell(); printf("do start\n"); up = true; working = true;
    overAtStart[0] = over[0]; overAtStart[1] = over[1] };
  {
    /* Holder.recover: only a right on which record and operating system agree stays. */
    atomic {
      COPY_KEPT(state, disk);
      if
      :: disk.boot != boot -> FORGET(0); FORGET(1)
      :: else
      fi;
      state.boot = boot };
    atomic {
      if :: state.phase[0] == none && broken != STRANGERS_STAY -> right[0] = false :: else fi;
      if :: state.phase[1] == none && broken != STRANGERS_STAY -> right[1] = false :: else fi };
    do
    :: s < SESSIONS ->
       if
       :: state.phase[s] == intended -> atomic { right[s] = false }; atomic { FORGET(s) }
       :: state.phase[s] == removing || (state.phase[s] == held && (now >= state.deadline[s] || now >= state.wallEnd[s] || !right[s])) ->
          atomic { state.phase[s] = removing; ends[s] = true }
       :: else
       fi; s++
    :: else -> s = 0; break
    od;
    removeAll(false);
    save();
    atomic {
      if :: state.phase[0] == none -> armed[0] = false; armedFor[0] = 0 :: else fi;
      if :: state.phase[1] == none -> armed[1] = false; armedFor[1] = 0 :: else fi;
      ready = true; working = false };
    do
    /* Holder.tick */
    :: atomic { tickDue && !working -> working = true;
         do
         :: s < SESSIONS ->
            if
            :: state.phase[s] == held && (now >= state.deadline[s] || now >= state.wallEnd[s]) -> ends[s] = true; state.phase[s] = removing
            :: state.phase[s] == held && !right[s] -> ends[s] = true; state.phase[s] = removing
            :: else
            fi; s++
         :: else -> s = 0; break
         od };
       removeAll(false);
       atomic { tickDue = false; working = false }
    /* LinkConversation.take. What a link brings is taken in at once or, when that link is down by then, never. */
    :: atomic { ROOM && !tickDue && len(down) > 0 ->
         tell(); printf("do down\n"); working = true;
         down?kind, mInc, mGen, mRev, mLog, mSize, mSound, mLeaseInc, mNonce, mE0, mD0, mX0, mE1, mD1, mX1, mKept, mInjected;
         if
         :: kind == checkpoint ->
            /* judgeCheckpoint */
            if
            :: state.witnessed.size == 0 || mInc > state.witnessed.incarnation ||
               (mInc == state.witnessed.incarnation && mSize >= state.witnessed.size &&
                (mLog == state.witnessed.log || state.witnessed.size <= forkedAt)) ->
               state.witnessed.log = mLog; state.witnessed.size = mSize; state.witnessed.incarnation = mInc;
               witnessedSize = mSize; doing = WITNESSED
            :: else ->
               if
               :: mSize >= witnessedSize ->
                  if :: len(upward) < QUEUE -> upward!verdict(0, 0, 0, state.witnessed.log, state.witnessed.size, state.witnessed.incarnation, 0, 0, 0) :: else fi;
                  refusing = true; endAll(); doing = REFUSED
               :: else
               fi
            fi
         /* On one stream what is older is late. */
         :: kind == desired && (mInc < newestIncarnation || (mInc == newestIncarnation && mGen < newestGeneration))
         :: else ->
            newestIncarnation = mInc; newestGeneration = mGen;
            /* Holder.applyDesired */
            if
            :: mInc < state.incarnation || (mInc == state.incarnation && mGen < state.floorGeneration) ->
               refusing = true; endAll(); doing = REFUSED
            :: else ->
               if :: mInc > state.incarnation -> refusing = false :: else fi;
               news = mInc > state.incarnation || mGen > state.floorGeneration;
               /* withFloorOf */
               if :: mInc > state.incarnation -> state.floorEpoch = 0 :: else fi;
               if
               :: broken != FLOOR_NOT_RAISED ->
                  if :: mRev > state.floorEpoch -> state.floorEpoch = mRev :: else fi;
                  raiseFor(0, mE0); raiseFor(1, mE1)
               :: else
               fi;
               state.incarnation = mInc; state.floorGeneration = mGen;
               if :: mSize > 0 -> state.desiredCheckpoint.log = mLog; state.desiredCheckpoint.size = mSize; state.desiredCheckpoint.incarnation = mInc :: else fi;
               endUnlessWanted(0, mE0); endUnlessWanted(1, mE1);
               doing = APPLIED
            fi
         fi };
       if
       :: doing == WITNESSED -> save()
       :: doing == REFUSED -> removeAll(false); atomic { changed() }
       :: doing == APPLIED ->
          if
          :: ends[0] || ends[1] -> removeAll(true)
          /* Nobody waits for what is claimed: it is claimed with the first right that is made. */
          :: !ends[0] && !ends[1] && SOUND && (mE0 > 0 || mE1 > 0) && !(mKept & NOTICES) ->
             atomic { later = true; isTold = false; dirty = true }
          :: else ->
             if :: broken == CLAIMED_BEFORE_SAVED -> atomic { claim(); changed() } :: else fi;
             if :: news -> save() :: else -> dirty = true fi;
             atomic { claim(); changed() }
          fi;
          if
          :: !refusing && mGen == state.floorGeneration -> take(0, mE0, mD0, mX0); take(1, mE1, mD1, mX1)
          :: else
          fi;
          if :: dirty -> save(); dirty = false :: else fi;
          if
          :: later -> atomic { claim(); if :: !isTold -> changed() :: else fi }
          :: else
          fi
       :: else
       fi;
       atomic { s = 0; news = false; later = false; isTold = false; doing = 0; kind = none; mInc = 0; mGen = 0; mRev = 0; mSize = 0; mLeaseInc = 0; mNonce = 0;
         mE0 = 0; mD0 = 0; mX0 = 0; mE1 = 0; mD1 = 0; mX1 = 0; mKept = 0; mInjected = 0; mLog = 0; mSound = false; working = false }
    od
  } unless { !up };
  goto begin
}

init {
  atomic {
    ledger[0].incarnation = 1; ledger[0].generation = 1; ledger[0].size = 1; /* it knows the device */
    ledger[0].state[0] = none; ledger[0].state[1] = none; ledger[1].state[0] = none; ledger[1].state[1] = none;
    state.phase[0] = none; state.phase[1] = none; disk.phase[0] = none; disk.phase[1] = none; old.phase[0] = none; old.phase[1] = none;
#ifdef GIVEN
    GIVEN;
#else
    c_code {
      int at[14] = {0}, n = 0; char *text = getenv("LEASE_MODEL");
      while (text && *text && n < 14) { at[n++] = strtol(text, &text, 10); if (*text == ',') text++; }
      now.gives = at[0]; now.revokes = at[1]; now.extends = at[2]; now.links = at[3]; now.kills = at[4]; now.mostReboots = at[5];
      now.snapshots = at[6]; now.copies = at[7]; now.mostRecovers = at[8]; now.injects = at[9]; now.mostLosses = at[10];
      now.ticks = at[11]; now.servers = at[12]; now.broken = at[13];
    };
#endif
    begun = true
  }
}
