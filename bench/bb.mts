const dir=process.argv[2]
const { Outgoing } = await import(`${dir}/database/outgoing.js`)
const { WireParams } = await import(`${dir}/database/wireParams.js`)
const { exec } = await import(`${dir}/index.js`)
const { insertItem, updateItem } = await import('/work/main/bench/sql/items.sql.ts')
const { items } = await import('/work/main/bench/works.ts')
const q = insertItem.query; const src={...q}; delete (src as any).kind; delete (src as any).finish
const uq = updateItem.query
const fns:any = { insert: exec(src as any), update: exec({...uq} as any) }
const out = new Outgoing(); const wp = new WireParams(out)
const fake={ execute(query:any, params:any){ const start=out.end-out.start; out.put(Buffer.alloc(64)); wp.write(query, params, start, query.sql.includes('update')?[1009,1022,1007]:[1007,1009,1022]); out.take(); return Promise.resolve(query.finish([],params.length)) } }
const data=items(1)
for (const k of ['insert','update']) { const r=[]; for(let i=0;i<150;i++){ const t=performance.now(); await fns[k].batch(fake as any, data); r.push(performance.now()-t); await new Promise(r=>setImmediate(r)) }
 const s=r.slice(40).sort((a,b)=>a-b); console.log(dir.split('/').slice(-2).join('/'), k, 'min',s[0]!.toFixed(2),'median',s[s.length>>1]!.toFixed(2)) }
